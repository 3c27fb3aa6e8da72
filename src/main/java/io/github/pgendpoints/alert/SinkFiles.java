package io.github.pgendpoints.alert;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.LoggingLevel;
import org.apache.camel.RoutesBuilder;
import org.apache.camel.StartupListener;
import org.apache.camel.builder.DefaultErrorHandlerBuilder;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.util.function.ThrowingRunnable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads each file of the folder routes/alerts separately, in the background, once the other routes
 * have started. Camel itself does not start if one file has a fault. Here only that file's sink is
 * left out, since failover must not depend on alerts.
 */
public final class SinkFiles implements StartupListener {
  private static final Logger LOG = LoggerFactory.getLogger(SinkFiles.class);

  private static final String SUFFIX = ".camel.yaml";
  private static final long MAX_SECONDS = 5;

  /** A file and what was read of it so far. */
  private record SinkFile(Path file, List<RoutesBuilder> builders, List<RouteDefinition> routes) {}

  private final Path folder;
  private final Set<String> on;
  private final Sinks sinks;
  private final Consumer<String> faults;
  private final List<String> leftOut = new ArrayList<>();

  /** Files without a fault, which may send to routes of files that are read later. */
  private final List<SinkFile> waiting = new ArrayList<>();

  /** The file that is being loaded; null before the first and after the last. */
  private volatile Path loading;

  /**
   * @param folder need not exist
   * @param on names of files, without suffix, that must exist; of the shipped ones, no others are
   *     loaded
   * @param faults receives a sentence about each file that is left out
   */
  public SinkFiles(Path folder, Set<String> on, Sinks sinks, Consumer<String> faults) {
    this.faults = faults;
    this.folder = folder;
    this.on = on;
    this.sinks = sinks;
  }

  /** Camel calls this more than once, unlike {@link #onCamelContextFullyStarted}. */
  @Override
  public void onCamelContextStarted(CamelContext context, boolean alreadyStarted) {
    // Too early: not all routes have started.
  }

  @Override
  public void onCamelContextFullyStarted(CamelContext context, boolean alreadyStarted) {
    List<Path> files = files();
    if (files.isEmpty()) {
      return;
    }
    sinks.starting();
    // The error handler of sinks that name none: the consumer logs what still fails in one line.
    context
        .getCamelContextExtension()
        .setErrorHandlerFactory(
            new DefaultErrorHandlerBuilder()
                .logExhausted(false)
                // Camel ignores logExhausted for a route without retries.
                .loggingLevel(LoggingLevel.OFF));
    // A connection that hangs then blocks its own sink, not the start of the others.
    context.getGlobalEndpointConfiguration().setLazyStartProducer(true);
    Thread loader = daemon(() -> load((ModelCamelContext) context, files));
    loader.start();
    daemon(() -> reportSlowStart(loader)).start();
  }

  private static Thread daemon(Runnable task) {
    Thread thread = new Thread(task, "alert sinks");
    thread.setDaemon(true);
    return thread;
  }

  private void load(ModelCamelContext context, List<Path> files) {
    try {
      for (Path file : files) {
        loading = file;
        read(context, file);
        start(context, RouteTargets.names(context, context.getRouteDefinitions()));
      }
      // Two files may send to each other.
      Set<String> names = RouteTargets.names(context, all(context));
      start(context, names);
      waiting.forEach(sink -> orLeaveOut(context, sink, () -> refuse(context, sink, names)));
      loading = null;
      // After all other sinks have started, and before a run of --once stops waiting for them.
      leftOut.forEach(faults);
    } finally {
      // Otherwise a run of --once would wait for sinks that no longer start.
      sinks.allStarted();
    }
  }

  private void reportSlowStart(Thread loader) {
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
          .filter(file -> !SinkSettings.SHIPPED.contains(name(file)) || on.contains(name(file)))
          .forEach(found::add);
    } catch (NoSuchFileException e) {
      LOG.debug("there is no folder {}", folder);
    } catch (IOException e) {
      LOG.error("alert sinks cannot be listed: {}", RouteError.message(e));
      return List.of();
    }
    return List.copyOf(found);
  }

  /** The file's name without its suffix. */
  private static String name(Path file) {
    String name = Objects.requireNonNull(file.getFileName()).toString();
    return name.substring(0, name.length() - SUFFIX.length());
  }

  private void read(ModelCamelContext context, Path file) {
    SinkFile sink = new SinkFile(file, new ArrayList<>(), new ArrayList<>());
    orLeaveOut(
        context,
        sink,
        () -> {
          if (!Files.isRegularFile(file)) {
            throw new IllegalArgumentException("ALERT_SINKS names it, but there is no such file");
          }
          Resource resource =
              PluginHelper.getResourceLoader(context)
                  .resolveResource("file:" + file.toAbsolutePath());
          sink.builders()
              .addAll(PluginHelper.getRoutesLoader(context).findRoutesBuilders(resource));
          for (RoutesBuilder builder : sink.builders()) {
            sink.routes().addAll(((RouteBuilder) builder).configureRoutes(context).getRoutes());
          }
          check(context, sink);
          waiting.add(sink);
        });
  }

  /** Starts the waiting sinks that send only to their own routes and to these names. */
  private void start(ModelCamelContext context, Set<String> names) {
    List<SinkFile> ready =
        waiting.stream()
            .filter(sink -> RouteTargets.missing(context, sink.routes(), names).isEmpty())
            .toList();
    waiting.removeAll(ready);
    for (SinkFile sink : ready) {
      orLeaveOut(
          context,
          sink,
          () -> {
            for (RoutesBuilder builder : sink.builders()) {
              context.addRoutes(builder);
            }
          });
    }
  }

  private void orLeaveOut(
      ModelCamelContext context, SinkFile sink, ThrowingRunnable<Exception> step) {
    List<RouteDefinition> before = List.copyOf(context.getRouteDefinitions());
    try {
      step.run();
    } catch (Exception | Error e) {
      // An Error, too: endless nesting overflows the stack, but the next file can still load.
      if (context.isStopping() || context.isStopped()) {
        LOG.debug("alert sink {} has not started before the end", sink.file());
        return;
      }
      sinks.count(name(sink.file())).faults().incrementAndGet();
      String fault = SinkFileError.describe(e, sink.routes());
      LOG.error("alert sink {} is left out, {}", shown(sink.file()), fault);
      String message = "alert sink %s is left out, %s".formatted(shown(sink.file()), fault);
      leftOut.add(message);
      remove(context, before);
    }
  }

  private void check(ModelCamelContext context, SinkFile sink) {
    if (sink.routes().isEmpty()) {
      throw new IllegalArgumentException("there is no route in it");
    }
    List<RouteDefinition> others = all(context);
    others.addAll(sink.routes());
    for (RouteDefinition route : sink.routes()) {
      if (!route.hasCustomIdAssigned()) {
        route.setId(name(sink.file()));
      }
      // Camel would replace the route that already has this id.
      refuse(RouteError.duplicateFault(route, others));
      refuse(RouteError.configurationFault(context, route));
    }
  }

  /** The routes that have started, and those of the files that wait. */
  private List<RouteDefinition> all(ModelCamelContext context) {
    List<RouteDefinition> routes = new ArrayList<>(context.getRouteDefinitions());
    waiting.forEach(sink -> routes.addAll(sink.routes()));
    return routes;
  }

  private static void refuse(ModelCamelContext context, SinkFile sink, Set<String> names) {
    RouteTargets.missing(context, sink.routes(), names)
        .forEach(target -> refuse("line " + target.line() + ": " + target.fault(names)));
  }

  private static void refuse(String fault) {
    if (fault != null) {
      throw new IllegalArgumentException(fault);
    }
  }

  /** The path for messages: routes/alerts/NAME. */
  private static Path shown(Path file) {
    int names = file.getNameCount();
    return file.subpath(Math.max(0, names - 3), names);
  }

  private static void remove(ModelCamelContext model, List<RouteDefinition> before) {
    List<RouteDefinition> added = new ArrayList<>(model.getRouteDefinitions());
    added.removeAll(before);
    for (RouteDefinition route : added) {
      try {
        // Also stops and removes the route, if it was created.
        model.removeRouteDefinition(route);
      } catch (Exception e) {
        LOG.error("alert sink {} is not removed: {}", route.getId(), e.toString());
      }
    }
  }
}
