package io.github.pgendpoints.management;

import java.util.Set;
import javax.management.ObjectName;
import org.jolokia.server.core.restrictor.AbstractConstantRestrictor;

/**
 * Limits Jolokia to these requests: read everything, dump routes and threads, and stop and start
 * routes. Other JMX operations are refused, such as a dump of the heap, which holds the password,
 * or sending a forged message to the route that writes.
 */
final class JolokiaRestrictor extends AbstractConstantRestrictor {
  private static final Set<String> OF_ROUTES = Set.of("start", "stop", "suspend", "resume");

  JolokiaRestrictor() {
    super(true);
  }

  @Override
  public boolean isAttributeWriteAllowed(ObjectName name, String attribute) {
    return false;
  }

  @Override
  public boolean isOperationAllowed(ObjectName name, String operation) {
    String method = operation.replaceFirst("\\(.*", "");
    return switch (name.getDomain()) {
      case "org.apache.camel" ->
          method.startsWith("dump")
              || method.startsWith("browse")
              || "routes".equals(name.getKeyProperty("type")) && OF_ROUTES.contains(method);
      case "java.lang" -> method.equals("dumpAllThreads");
      default -> false;
    };
  }
}
