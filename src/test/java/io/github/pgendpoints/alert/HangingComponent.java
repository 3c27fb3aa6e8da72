package io.github.pgendpoints.alert;

import java.util.Map;
import org.apache.camel.Consumer;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.Producer;
import org.apache.camel.support.DefaultComponent;
import org.apache.camel.support.DefaultEndpoint;
import org.apache.camel.support.DefaultProducer;

/** A component whose producer hangs at its start, as if its server did not respond. */
final class HangingComponent extends DefaultComponent {
  @Override
  protected Endpoint createEndpoint(String uri, String remaining, Map<String, Object> parameters) {
    return new DefaultEndpoint(uri, this) {
      @Override
      public Producer createProducer() {
        return new DefaultProducer(this) {
          @Override
          protected void doStart() throws Exception {
            Received.hang();
          }

          @Override
          public void process(Exchange exchange) {
            throw new IllegalStateException("it has not started");
          }
        };
      }

      @Override
      public Consumer createConsumer(Processor processor) {
        throw new UnsupportedOperationException();
      }
    };
  }
}
