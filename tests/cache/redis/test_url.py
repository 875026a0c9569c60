"""Redis URLs: read into their parts, and shown without what is secret."""

import pytest

from jvgate.cache.redis.url import parse_redis_url
from jvgate.errors import SettingsError


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://localhost", "redis://localhost:6379"),
        ("redis://:s3cret@localhost:7000/2", "redis://localhost:7000/2"),
        ("redis://localhost?db=3", "redis://localhost:6379/3"),
        ("rediss://user:s3cret@redis.example:6380", "rediss://redis.example:6380"),
        ("redis://[::1]:6379", "redis://[::1]:6379"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock"),
        ("unix://user:s3cret@/run/redis.sock?db=1", "unix:///run/redis.sock"),
        ("redis+cluster://:s3cret@a,b:7001", "redis+cluster://a:6379,b:7001"),
        ("redis+sentinel://:s3cret@a,b:7001/main/2?sentinel_password=s3cret",
         "redis+sentinel://a:26379,b:7001/main/2"),
        ("rediss+sentinel://a/main", "rediss+sentinel://a:26379/main"),
    ],
)  # fmt: skip
def test_a_url_is_shown_without_its_password(url, shown):
    place = parse_redis_url(url)
    assert str(place) == shown
    assert "s3cret" not in repr(place) + str(place)


def test_credentials_are_read():
    place = parse_redis_url("redis://us%40er:p%2Fw%3A@h")
    assert place.credentials == {"username": "us@er", "password": "p/w:"}


def test_a_sentinel_has_credentials_of_its_own():
    place = parse_redis_url("redis+sentinel://:data@a/main?sentinel_username=u&sentinel_password=watch")
    assert place.credentials == {"password": "data"}
    assert place.sentinel_credentials == {"username": "u", "password": "watch"}


def test_tls_options_are_read():
    place = parse_redis_url("rediss://h?ssl_ca_certs=/etc/ca.pem&ssl_check_hostname=false")
    assert place.tls_options == {"ssl_ca_certs": "/etc/ca.pem", "ssl_check_hostname": False}


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:6379",
        "http://:s3cret@localhost",
        "redis://",
        "redis://:s3cret@",
        "redis://:s3cret@h:port",
        "redis://:s3cret@h:99999",
        "redis://:s3/cret@h",
        "redis://:s3cret@a,b",
        "redis://:s3cret@h/one",
        "redis://:s3cret@h/1/2",
        "redis://:s3cret@h?socket_timeout=100",
        "redis://:s3cret@h?ssl_ca_certs=x",
        "rediss://:s3cret@h?ssl_check_hostname=perhaps",
        "redis+cluster://:s3cret@h/1",
        "redis+sentinel://:s3cret@h",
        "redis://:s3cret@[h",
        "unix://:s3cret@",
    ],
)
def test_what_is_no_url_of_redis_is_refused_without_showing_it(url):
    with pytest.raises(SettingsError) as caught:
        parse_redis_url(url)
    assert not any(part in str(caught.value) for part in ("s3cret", "s3/", "cret@"))
    assert caught.value.__cause__ is None
