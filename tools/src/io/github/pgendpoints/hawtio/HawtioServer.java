package io.github.pgendpoints.hawtio;

import java.nio.file.Path;
import java.util.Map;
import org.eclipse.jetty.ee10.webapp.WebAppContext;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/** Hawtio's web application in this process, with the settings that docs/hawtio.md names. */
final class HawtioServer implements AutoCloseable {
  private final Server server = new Server();

  /**
   * @param war the artifact io.hawt:hawtio-war
   */
  HawtioServer(Path war) throws Exception {
    System.getProperties()
        .putAll(
            Map.of("hawtio.authenticationEnabled", "false", "hawtio.proxyAllowlist", "127.0.0.1"));
    ServerConnector connector = new ServerConnector(server);
    connector.setHost("127.0.0.1");
    server.addConnector(connector);
    server.setHandler(new WebAppContext(war.toUri().toString(), "/hawtio"));
    server.start();
  }

  String url() {
    return "http://localhost:"
        + ((ServerConnector) server.getConnectors()[0]).getLocalPort()
        + "/hawtio";
  }

  @Override
  public void close() {
    try {
      server.stop();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
