package io.github.pgendpoints.kubernetes;

import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.http.HttpClient;
import io.fabric8.kubernetes.client.okhttp.OkHttpClientFactory;
import io.fabric8.kubernetes.client.utils.HttpClientUtils;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.Proxy;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Response;
import okhttp3.ResponseBody;

/** The HTTP client that fabric8 uses, with limits where fabric8 trusts a server too much. */
final class ApiHttp implements HttpClient.Factory {

  /** In bytes. An etcd object is below 2 MiB, but fabric8 alone would hold any answer in memory. */
  static final long MAX_ANSWER = 4 << 20;

  private static final MediaType JSON = MediaType.get("application/json");

  private final ApiCredentials access;

  private final OkHttpClientFactory okHttp =
      new OkHttpClientFactory() {
        @Override
        protected void additionalConfig(OkHttpClient.Builder builder) {
          configure(builder);
        }
      };

  ApiHttp(ApiCredentials access) {
    this.access = access;
  }

  @Override
  public HttpClient.Builder newBuilder() {
    return okHttp.newBuilder();
  }

  /** Like fabric8's, except for certificates and proxies, which it reads once and differently. */
  @Override
  public HttpClient.Builder newBuilder(Config config) {
    HttpClient.Builder builder = newBuilder();
    builder.followAllRedirects();
    builder.tag(config.getRequestConfig());
    builder.connectTimeout(config.getConnectionTimeout(), TimeUnit.MILLISECONDS);
    builder.tlsVersions(config.getTlsVersions());
    if (config.isHttp2Disable()) {
      builder.preferHttp11();
    }
    HttpClientUtils.createApplicableInterceptors(config, this)
        .forEach(builder::addOrReplaceInterceptor);
    return builder;
  }

  private void configure(OkHttpClient.Builder builder) {
    Config config = access.config();
    builder.readTimeout(Duration.ZERO).writeTimeout(Duration.ZERO);
    builder.pingInterval(Duration.ofMillis(config.getWebsocketPingInterval()));
    if (config.isTrustCerts() || config.isDisableHostnameVerification()) {
      builder.hostnameVerifier((host, session) -> true);
    }
    ReloadingSocketFactory sockets = new ReloadingSocketFactory(access::certificates);
    builder.sslSocketFactory(sockets, sockets.trust());
    ApiProxy proxy = access.proxy();
    if (proxy == null) {
      builder.proxy(Proxy.NO_PROXY);
    } else {
      proxy.configure(builder);
    }
    builder.addInterceptor(
        chain -> withRetryAfter(checked(limited(chain.proceed(chain.request())))));
  }

  private Response checked(Response response) {
    if (response.code() == HttpURLConnection.HTTP_UNAUTHORIZED) {
      access.rejected();
    }
    return response;
  }

  private static Response limited(Response response) throws IOException {
    // A watch is one answer without an end.
    boolean watch = "true".equals(response.request().url().queryParameter("watch"));
    if (!watch
        && response.code() != 101
        && response.peekBody(MAX_ANSWER + 1).contentLength() > MAX_ANSWER) {
      response.close();
      throw new IOException("an answer of more than %d MiB".formatted(MAX_ANSWER >> 20));
    }
    return response;
  }

  /**
   * Copies Retry-After to the Status: fabric8's exceptions have the Status of an answer but not its
   * headers, and API Priority and Fairness answers 429 in plain text with this header.
   */
  private static Response withRetryAfter(Response response) throws IOException {
    String seconds = response.header("Retry-After", "");
    if (response.isSuccessful() || !seconds.matches("\\d{1,5}")) {
      return response;
    }
    String said = response.body().string();
    StatusBuilder status = new StatusBuilder().withMessage(said);
    try {
      status =
          new StatusBuilder(
              Serialization.unmarshal(said, io.fabric8.kubernetes.api.model.Status.class));
    } catch (RuntimeException e) {
      // Plain text.
    }
    String json =
        Serialization.asJson(
            status
                .withCode(response.code())
                .editOrNewDetails()
                .withRetryAfterSeconds(Integer.valueOf(seconds))
                .endDetails()
                .build());
    return response.newBuilder().body(ResponseBody.create(json, JSON)).build();
  }
}
