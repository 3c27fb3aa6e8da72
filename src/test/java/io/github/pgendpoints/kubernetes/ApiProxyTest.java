package io.github.pgendpoints.kubernetes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ApiProxyTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "http://proxy.example | http://proxy.example:80",
        "http://proxy.example/ | http://proxy.example:80",
        "HTTP://proxy.example:3128/ | http://proxy.example:3128",
        "proxy.example:3128 | http://proxy.example:3128",
        "proxy.example | http://proxy.example:80",
        "' http://proxy.example:3128 ' | http://proxy.example:3128",
        "http://proxy_1:3128/x?y#z | http://proxy_1:3128",
        "http://10.0.0.1:3128 | http://10.0.0.1:3128",
        "http://[fd00::1]:3128 | http://[fd00::1]:3128",
        "[fd00::1] | http://[fd00::1]:80",
        "https://proxy.example | https://proxy.example:443",
        "socks5://proxy.example | socks5://proxy.example:1080",
        "socks5h://proxy.example:9 | socks5h://proxy.example:9",
        "http://proxy.example: | http://proxy.example:80",
      })
  void readsAProxy(String value, String proxy) {
    assertEquals(proxy + " of HTTPS_PROXY", ApiProxy.parse("HTTPS_PROXY", value).toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"http://svc:s3cret@:1", "http://:1", "http:///x", "ftp://h", "http://h:0"})
  void refusesWhatNamesNoHost(String value) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> ApiProxy.parse("HTTP_PROXY", value))
            .getMessage();
    assertTrue(message.startsWith("HTTP_PROXY does not name a proxy; allowed: "), message);
  }

  @ParameterizedTest
  @CsvSource({
    "http://svc:s3cret@h:1, svc:s3cret",
    "svc:s3cret@h:1, svc:s3cret",
    "http://svc:s%40c%20t@h, svc:s@c t",
    "http://svc:s3^c@r+t@h, svc:s3^c@r+t",
    "http://svc:50%@h, svc:50%",
    "http://svc@h, svc",
  })
  void readsUserAndPasswordAndDoesNotShowThem(String value, String user) {
    ApiProxy proxy = ApiProxy.parse("x", value);

    assertEquals(user, proxy.user());
    assertEquals("h", proxy.host());
    assertEquals("http://h:" + proxy.port() + " of x", proxy.toString());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "localhost, 127.0.0.1 | 127.0.0.1 | true",
        "localhost 127.0.0.1 | 127.0.0.1 | true",
        "*.svc,.local | kubernetes.default.svc | true",
        "*.svc | svc | false",
        ".svc | kubernetes.default.svc | true",
        "svc | kubernetes.default.svc | true",
        "svc | svc | true",
        "svc | mysvc | false",
        ".example.com | example.com | false",
        "EXAMPLE.com | api.example.com | true",
        "* | anything | true",
        "*, | anything | true",
        ", ,, | anything | false",
        "10.0.0.0/8 | 10.96.0.1 | true",
        "10.0.0.0/8 | 11.96.0.1 | false",
        "10.96.0.1/32 | 10.96.0.1 | true",
        "10.0.0.0/99 | 10.96.0.1 | false",
        "10.0.0.0/8 | ten.example | false",
        "0.0.0.0/0 | 10.96.0.1 | true",
        "fd00::/8 | fd00:10:96::1 | true",
        "fd00::/8 | 10.96.0.1 | false",
        "[fd00::1] | fd00:0::1 | true",
        "fd00::1 | fd00::1 | true",
        "[fd00::1]:6443 | fd00::1 | true",
        "[fd00::1]:443 | fd00::1 | false",
        "api.example:6443 | api.example | true",
        "api.example:443 | api.example | false",
        "10.96.0.1:6443 | 10.96.0.1 | true",
        "10.96.0.1:443 | 10.96.0.1 | false",
        ":6443 | api.example | false",
        "10.96.0 | 10.96.0.1 | false",
      })
  void excludesAsGoDoes(String noProxy, String host, boolean excluded) {
    assertEquals(excluded, ApiProxy.excludes(noProxy, host, 6443));
  }

  @Test
  void theKubeconfigProxyOverridesTheVariables() {
    assertEquals(
        "http://p:80 of proxy-url of the kubeconfig",
        ApiProxy.of(URI.create("https://h:1"), "http://p").toString());
    assertNull(ApiProxy.of(URI.create("https://h:1"), ""));
  }
}
