package io.github.pgendpoints.kubernetes;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.utils.HttpClientUtils;
import io.fabric8.kubernetes.client.utils.IpAddressMatcher;
import io.fabric8.kubernetes.client.utils.Utils;
import java.io.IOException;
import java.net.Authenticator;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PasswordAuthentication;
import java.net.Proxy;
import java.net.Socket;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.net.SocketFactory;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;

/**
 * The proxy to the API: that of the kubeconfig's cluster, otherwise that of HTTPS_PROXY (for http,
 * HTTP_PROXY) or ALL_PROXY, unless NO_PROXY excludes the API. The variables have the same meaning
 * as in Go and kubectl, but a loopback address is excluded only if NO_PROXY lists it, as in curl.
 *
 * @param source the variable or field that names the proxy
 * @param scheme http, https, or one that begins with socks
 * @param host name or address, without brackets
 * @param user user and password, separated by a colon; null if there is none
 */
record ApiProxy(String source, String scheme, String host, int port, String user) {
  private static final Map<String, Integer> DEFAULT_PORTS =
      Map.of(
          "http", 80, "https", 443, "socks", 1080, "socks4", 1080, "socks4a", 1080, "socks5", 1080,
          "socks5h", 1080);

  private static final Pattern URL =
      Pattern.compile(
          "(?:(?<scheme>[A-Za-z0-9+.-]+)://|(?![A-Za-z0-9+.-]+://))(?:(?<user>.*)@)?(?<host>\\[[0-9A-Fa-f:.%]+]|[^]\\[\\s:/?#@]+)"
              + "(?::(?<port>[0-9]{0,5}))?(?:[/?#].*)?");

  private static final Pattern HOST_AND_PORT = Pattern.compile("(\\[.*]|[^:]*):([0-9]+)");
  private static final Pattern ADDRESS = Pattern.compile("[0-9.]+|[0-9a-f.]*:[0-9a-f:.]*");

  /**
   * Returns the proxy for an API.
   *
   * @param proxyUrl of the kubeconfig's cluster; null if it has none
   * @return null if there is none
   * @throws IllegalArgumentException if the value cannot be parsed; the message names the variable,
   *     and not the value, which may contain a password
   */
  static ApiProxy of(URI api, String proxyUrl) {
    if (Utils.isNotNullOrEmpty(proxyUrl)) {
      return parse("proxy-url of the kubeconfig", proxyUrl);
    }
    boolean plain = "http".equals(api.getScheme());
    int port = api.getPort() >= 0 ? api.getPort() : plain ? 80 : 443;
    if (api.getHost() == null || isExcluded(api.getHost(), port)) {
      return null;
    }
    return Stream.of(
            plain ? Config.KUBERNETES_HTTP_PROXY : Config.KUBERNETES_HTTPS_PROXY,
            Config.KUBERNETES_ALL_PROXY)
        .flatMap(ApiProxy::variables)
        .findFirst()
        .map(variable -> parse(variable.getKey(), variable.getValue()))
        .orElse(null);
  }

  /** The system property, and the variables in upper case and in lower case, as far as set. */
  private static Stream<Map.Entry<String, String>> variables(String property) {
    String name = Utils.convertSystemPropertyNameToEnvVar(property);
    String small = name.toLowerCase(Locale.ROOT);
    return Stream.of(
            Map.entry(property, System.getProperty(property, "")),
            Map.entry(name, Utils.getEnvVar(name, "")),
            Map.entry(small, Utils.getEnvVar(small, "")))
        .filter(variable -> !variable.getValue().isBlank());
  }

  static ApiProxy parse(String source, String value) {
    Matcher url = URL.matcher(value.strip());
    String scheme =
        !url.matches() || url.group("scheme") == null
            ? "http"
            : url.group("scheme").toLowerCase(Locale.ROOT);
    if (!url.matches() || !DEFAULT_PORTS.containsKey(scheme)) {
      throw unreadable(source);
    }
    String port = url.group("port");
    int number =
        port == null || port.isEmpty() ? DEFAULT_PORTS.get(scheme) : Integer.parseInt(port);
    if (number < 1 || number > 65535) {
      throw unreadable(source);
    }
    String host = url.group("host").replaceAll("[\\[\\]]", "");
    return new ApiProxy(source, scheme, host, number, decoded(url.group("user")));
  }

  private static IllegalArgumentException unreadable(String source) {
    return new IllegalArgumentException(
        source
            + " does not name a proxy; allowed: [scheme://][user:password@]host[:port] with the"
            + " scheme http, https, socks4, or socks5");
  }

  private static String decoded(String user) {
    try {
      // Unlike in a form, a plus sign stands for itself.
      return user == null
          ? null
          : URLDecoder.decode(user.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      return user;
    }
  }

  private static boolean isExcluded(String host, int port) {
    String name = host.toLowerCase(Locale.ROOT).replaceAll("^\\[|]$|\\.$", "");
    return variables(Config.KUBERNETES_NO_PROXY)
        .findFirst()
        .map(variable -> excludes(variable.getValue(), name, port))
        .orElse(false);
  }

  /**
   * Whether a value of NO_PROXY excludes a host.
   *
   * @param host in lower case, without brackets
   */
  static boolean excludes(String noProxy, String host, int port) {
    return Stream.of(noProxy.toLowerCase(Locale.ROOT).strip().split("[,\\s]+"))
        .anyMatch(entry -> covers(entry, host, port));
  }

  private static boolean covers(String entry, String host, int port) {
    if (entry.equals("*")) {
      return true;
    }
    Matcher withPort = HOST_AND_PORT.matcher(entry);
    boolean hasPort = withPort.matches();
    if (hasPort && !withPort.group(2).equals(String.valueOf(port))) {
      return false;
    }
    String name = (hasPort ? withPort.group(1) : entry).replaceAll("^\\[|]$|^\\*(?=\\.)", "");
    if (name.isEmpty()) {
      return false;
    }
    if (ADDRESS.matcher(name.replaceFirst("/[0-9]+$", "")).matches()) {
      return ADDRESS.matcher(host).matches() && isIn(name, host);
    }
    return name.startsWith(".")
        ? host.endsWith(name)
        : host.equals(name) || host.endsWith("." + name);
  }

  private static boolean isIn(String block, String address) {
    try {
      return new IpAddressMatcher(block).matches(address);
    } catch (RuntimeException e) {
      // Not a valid block.
      return false;
    }
  }

  /** Routes the connections of a client through the proxy. */
  void configure(OkHttpClient.Builder builder) {
    boolean isSocks = scheme.startsWith("socks");
    // Unresolved, so that the name is resolved for each connection.
    builder.proxy(
        new Proxy(
            isSocks ? Proxy.Type.SOCKS : Proxy.Type.HTTP,
            InetSocketAddress.createUnresolved(host, port)));
    if (scheme.equals("https")) {
      builder.socketFactory(new TlsSockets());
    }
    if (user != null && isSocks) {
      Authenticator.setDefault(new Socks());
    } else if (!isSocks) {
      builder.proxyAuthenticator((route, response) -> authenticated(response));
    }
  }

  /** Adds the credentials. OkHttp also calls this before the proxy requires them. */
  private Request authenticated(Response response) throws IOException {
    String header = "Proxy-Authorization";
    Request request = response.request();
    if (user != null && request.header(header) == null) {
      return request.newBuilder().header(header, HttpClientUtils.basicCredentials(user)).build();
    }
    if ("OkHttp-Preemptive".equals(response.header("Proxy-Authenticate"))) {
      return null;
    }
    throw new IOException(
        user == null
            ? "the proxy requires a user and a password (407)"
            : "the proxy does not accept our user and password (407)");
  }

  private final class Socks extends Authenticator {
    @Override
    protected PasswordAuthentication getPasswordAuthentication() {
      String[] parts = user.split(":", 2);
      return getRequestingPort() == port && host.equals(getRequestingHost())
          ? new PasswordAuthentication(parts[0], (parts.length > 1 ? parts[1] : "").toCharArray())
          : null;
    }
  }

  /** Creates TLS connections to the proxy itself, which verify its name. */
  private static final class TlsSockets extends SocketFactory {
    @Override
    public Socket createSocket() throws IOException {
      SSLSocket socket = (SSLSocket) SSLSocketFactory.getDefault().createSocket();
      SSLParameters parameters = socket.getSSLParameters();
      parameters.setEndpointIdentificationAlgorithm("HTTPS");
      socket.setSSLParameters(parameters);
      return socket;
    }

    @Override
    public Socket createSocket(String host, int port) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress local, int localPort) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Socket createSocket(InetAddress host, int port) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort) {
      throw new UnsupportedOperationException();
    }
  }

  /** The URL of the proxy and the setting that names it, without user and password. */
  @Override
  public String toString() {
    return "%s://%s:%d of %s"
        .formatted(scheme, host.contains(":") ? "[" + host + "]" : host, port, source);
  }
}
