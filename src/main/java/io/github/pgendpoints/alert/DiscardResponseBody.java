package io.github.pgendpoints.alert;

import org.apache.camel.component.http.HttpClientConfigurer;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.core5.http.ClassicHttpResponse;

/**
 * Has an HTTP sink look at the status of an answer and close the connection on the rest. Camel's
 * own ignoreResponseBody still reads the answer to its end, which there need not be.
 */
public final class DiscardResponseBody implements HttpClientConfigurer {
  @Override
  public void configureHttpClient(HttpClientBuilder client) {
    // Last is next to the connection, so that of redirections nothing is read either.
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
