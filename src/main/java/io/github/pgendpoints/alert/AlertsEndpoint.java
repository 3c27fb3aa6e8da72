package io.github.pgendpoints.alert;

import java.util.Set;
import org.apache.camel.Consumer;
import org.apache.camel.MultipleConsumersSupport;
import org.apache.camel.Processor;
import org.apache.camel.Producer;
import org.apache.camel.support.DefaultEndpoint;
import org.apache.camel.support.DefaultProducer;

/** The alert channel as one route sees it. */
final class AlertsEndpoint extends DefaultEndpoint implements MultipleConsumersSupport {
  private final Sinks sinks;
  private final SinkSettings settings;
  private final int queue;
  private final String needs;
  private final Set<AlertFilter> only;

  AlertsEndpoint(
      String uri,
      AlertsComponent component,
      Sinks sinks,
      SinkSettings settings,
      int queue,
      String needs,
      Set<AlertFilter> only) {
    super(uri, component);
    this.sinks = sinks;
    this.settings = settings;
    this.queue = queue;
    this.needs = needs;
    this.only = only;
  }

  @Override
  public Producer createProducer() {
    return new DefaultProducer(this) {
      @Override
      public void process(org.apache.camel.Exchange exchange) {
        sinks.send(exchange.getMessage().getBody(Alert.class));
      }
    };
  }

  @Override
  public Consumer createConsumer(Processor processor) throws Exception {
    settings.check(needs);
    AlertsConsumer consumer = new AlertsConsumer(this, processor, sinks, queue, only);
    configureConsumer(consumer);
    return consumer;
  }

  @Override
  public boolean isMultipleConsumersSupported() {
    return true;
  }
}
