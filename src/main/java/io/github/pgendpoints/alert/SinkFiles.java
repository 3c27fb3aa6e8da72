package io.github.pgendpoints.alert;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.Endpoint;
import org.apache.camel.RoutesBuilder;
import org.apache.camel.StartupListener;
import org.apache.camel.builder.DefaultErrorHandlerBuilder;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.DefaultEndpoint;
import org.apache.camel.support.PluginHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads each file of the folder routes/alerts by itself, when the other routes have started and
 * beside them. Camel does not start at all when one file has a fault: here it costs that file's
 * sink alone, for failover must not depend on who is told of it.
 */
public final class SinkFiles implements StartupListener {
  private static final Logger LOG = LoggerFactory.getLogger(SinkFiles.class);
  private static final String SUFFIX = ".camel.yaml";
  private static final long MAX_SECONDS = 5;

  private final Path folder;
  private final Set<String> on;
  private final Set<String> off;
  private final Sinks sinks;
  private final Consumer<String> faults;
  private final List<String> leftOut = new ArrayList<>();

  /** Null before the first and after the last. */
  private volatile Path loading;

  /**
   * @param folder need not exist
   * @param on names of files, without suffix, that must be there
   * @param off names of files, without suffix, that are not loaded
   * @param faults takes a sentence about each file that is left out
   */
  public SinkFiles(
      Path folder, Set<String> on, Set<String> off, Sinks sinks, Consumer<String> faults) {
    this.faults = faults;
    this.folder = folder;
    this.on = on;
    this.off = off;
    this.sinks = sinks;
  }

  /** Called more often than once, unlike the next one. */
  @Override
  public void onCamelContextStarted(CamelContext context, boolean alreadyStarted) {
    // It is too early: not all routes have started.
  }

  @Override
  public void onCamelContextFullyStarted(CamelContext context, boolean alreadyStarted) {
    List<Path> files = files();
    if (files.isEmpty()) {
      return;
    }
    sinks.starting();
    // Of a sink's own routes, unless they name another: its consumer logs in one line what is left.
    context
        .getCamelContextExtension()
        .setErrorHandlerFactory(
            new DefaultErrorHandlerBuilder().logExhausted(false).logExhaustedMessageHistory(false));
    Thread loader = daemon(() -> load(context, files));
    context
        .getCamelContextExtension()
        .registerEndpointCallback(
            (uri, endpoint) -> {
              if (Thread.currentThread() == loader) {
                connectLate(endpoint);
              }
              return endpoint;
            });
    loader.start();
    daemon(() -> watch(loader)).start();
  }

  /**
   * What hangs while it connects then hangs in its own sink, and not in the start of the others.
   */
  private static void connectLate(Endpoint endpoint) {
    if (endpoint instanceof DefaultEndpoint of) {
      of.setLazyStartProducer(true);
    }
  }

  private static Thread daemon(Runnable task) {
    Thread thread = new Thread(task, "alert sinks");
    thread.setDaemon(true);
    return thread;
  }

  private void load(CamelContext context, List<Path> files) {
    try {
      for (Path file : files) {
        loading = file;
        load(context, file);
      }
      loading = null;
      // After all others have started, and before a run of --once stops to wait for them.
      leftOut.forEach(faults);
    } finally {
      // Else a run of --once waits for sinks that nobody starts any more.
      sinks.allStarted();
    }
  }

  private void watch(Thread loader) {
    try {
      loader.join(TimeUnit.SECONDS.toMillis(MAX_SECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    Path file = loading;
    if (loader.isAlive() && file != null) {
      LOG.error(
          "alert sink {} has not started within {} s: it and those after it get no alerts yet",
          shown(file),
          MAX_SECONDS);
    }
  }

  private List<Path> files() {
    Set<Path> found = new TreeSet<>();
    on.forEach(name -> found.add(folder.resolve(name + SUFFIX)));
    try (Stream<Path> files = Files.list(folder)) {
      files
          .filter(file -> file.toString().endsWith(SUFFIX) && Files.isRegularFile(file))
          .filter(file -> !off.contains(name(file)))
          .forEach(found::add);
    } catch (NoSuchFileException e) {
      LOG.debug("there is no folder {}", folder);
    } catch (IOException e) {
      LOG.error("alert sinks cannot be listed: {}", RouteFault.message(e));
      return List.of();
    }
    return List.copyOf(found);
  }

  /** The file's name without its suffix. */
  private static String name(Path file) {
    String name = Objects.requireNonNull(file.getFileName()).toString();
    return name.substring(0, name.length() - SUFFIX.length());
  }

  private void load(CamelContext context, Path file) {
    ModelCamelContext model = (ModelCamelContext) context;
    List<RouteDefinition> routes = new ArrayList<>();
    List<RouteDefinition> before = List.copyOf(model.getRouteDefinitions());
    try {
      if (!Files.isRegularFile(file)) {
        throw new IllegalArgumentException("ALERT_SINKS names it, but there is no such file");
      }
      Resource resource =
          PluginHelper.getResourceLoader(context).resolveResource("file:" + file.toAbsolutePath());
      Collection<RoutesBuilder> builders =
          PluginHelper.getRoutesLoader(context).findRoutesBuilders(resource);
      for (RoutesBuilder builder : builders) {
        routes.addAll(((RouteBuilder) builder).configureRoutes(context).getRoutes());
      }
      check(model, routes, file);
      for (RoutesBuilder builder : builders) {
        context.addRoutes(builder);
      }
    } catch (Exception | Error e) {
      // An Error too: nesting without end takes the stack, but not that of the next file.
      if (context.isStopping() || context.isStopped()) {
        LOG.debug("alert sink {} has not started before the end", file);
        return;
      }
      sinks.count(name(file)).faults().incrementAndGet();
      String fault = SinkFault.describe(e, routes);
      LOG.error("alert sink {} is left out, {}", shown(file), fault);
      String message = "alert sink %s is left out, %s".formatted(shown(file), fault);
      leftOut.add(message);
      remove(model, before);
    }
  }

  private static void check(ModelCamelContext model, List<RouteDefinition> routes, Path file) {
    if (routes.isEmpty()) {
      throw new IllegalArgumentException("there is no route in it");
    }
    for (RouteDefinition route : routes) {
      if (!route.hasCustomIdAssigned()) {
        route.setId(name(file));
      }
      // A route that is added under the id of another one would take its place.
      if (model.getRouteDefinition(route.getId()) != null
          || routes.stream().filter(other -> route.getId().equals(other.getId())).count() > 1) {
        throw new IllegalArgumentException(
            "there is another route with the id " + route.getId() + ", choose one of its own");
      }
      String fault = RouteFault.configurationFault(model, route);
      if (fault != null) {
        throw new IllegalArgumentException(fault);
      }
    }
  }

  /** As people find it: routes/alerts/NAME. */
  private static Path shown(Path file) {
    int names = file.getNameCount();
    return file.subpath(Math.max(0, names - 3), names);
  }

  private static void remove(ModelCamelContext model, List<RouteDefinition> before) {
    List<RouteDefinition> added = new ArrayList<>(model.getRouteDefinitions());
    added.removeAll(before);
    for (RouteDefinition route : added) {
      try {
        if (model.getRoute(route.getId()) != null) {
          model.getRouteController().stopRoute(route.getId());
          model.removeRoute(route.getId());
        }
        model.removeRouteDefinition(route);
      } catch (Exception e) {
        LOG.error("alert sink {} is not removed: {}", route.getId(), e.toString());
      }
    }
  }
}
