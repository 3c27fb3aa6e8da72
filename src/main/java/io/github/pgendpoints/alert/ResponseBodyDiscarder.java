package io.github.pgendpoints.alert;

import org.apache.camel.component.http.HttpClientConfigurer;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.core5.http.ClassicHttpResponse;

/**
 * Makes an HTTP sink read only the status of a response, and close the connection on the rest.
 * Camel's own ignoreResponseBody reads the response to its end, and there may be none.
 */
public final class ResponseBodyDiscarder implements HttpClientConfigurer {
  @Override
  public void configureHttpClient(HttpClientBuilder client) {
    // The last interceptor is next to the connection, so no body of a redirect is read either.
    client.addExecInterceptorLast(
        "discardResponseBody",
        (request, scope, chain) -> {
          ClassicHttpResponse answer = chain.proceed(request, scope);
          if (answer.getEntity() != null) {
            scope.execRuntime.discardEndpoint();
            answer.setEntity(null);
          }
          return answer;
        });
  }
}
