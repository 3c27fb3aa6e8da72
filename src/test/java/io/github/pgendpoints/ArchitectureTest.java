package io.github.pgendpoints;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The dependency rules between the packages, and between Java and the routes. */
class ArchitectureTest {
  private static final String ROOT = "io.github.pgendpoints";
  private static final JavaClasses PROGRAM =
      new ClassFileImporter().importPath(Path.of("target/classes"));
  private static final Path SOURCES = Path.of("src/main/java");
  private static final Path ROUTES = Path.of("routes");
  private static final int MAX_LINES = 350;

  /** Literals that equal the id of a route, but mean something else. */
  private static final Set<String> HOMONYMS =
      Set.of(
          // The subcommand, and the property and the bean of that name.
          "Application overrule",
          "CycleHealth query",
          "RouteBindings overrule",
          // Variables of an exchange.
          "CycleBoundary cycle",
          "CycleSteps cycle",
          "CycleSteps write",
          "OverruleSteps cycle",
          "ProbeSteps cycle",
          "ProbeSteps probe",
          "PublishSteps cycle",
          "ReadSteps cycle",
          "RouteBindings cycle",
          "RuleSteps cycle",
          // The shipped sinks, as ALERT_SINKS names them.
          "SinkSettings alertmanager",
          "SinkSettings events",
          "SinkSettings mail",
          "SinkSettings slack",
          "SinkSettings webhook",
          // A health check, and a Kubernetes resource.
          "ProbeColumn probe",
          "ApiRight events");

  @Test
  void topologyNeedsNothingButJava() {
    classes()
        .that()
        .resideInAPackage(ROOT + ".topology..")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage("java..", ROOT + ".topology..")
        .check(PROGRAM);
  }

  @Test
  void packagesFormNoCycle() {
    slices().matching(ROOT + ".(*)..").should().beFreeOfCycles().check(PROGRAM);
  }

  @Test
  void nothingDependsOnTheProgramAsAWhole() {
    noClasses()
        .that()
        .resideOutsideOfPackage(ROOT)
        .should()
        .dependOnClassesThat()
        .resideInAPackage(ROOT)
        .check(PROGRAM);
  }

  @Test
  void postgresKnowsNoCamel() {
    noClasses()
        .that()
        .resideInAPackage(ROOT + ".postgres..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.apache.camel..")
        .check(PROGRAM);
  }

  @Test
  void kubernetesStandsAlone() {
    noClasses()
        .that()
        .resideInAPackage(ROOT + ".kubernetes..")
        .should()
        .dependOnClassesThat(
            resideInAPackage(ROOT + "..").and(resideOutsideOfPackage(ROOT + ".kubernetes..")))
        .check(PROGRAM);
  }

  @Test
  void javaNamesNoRoute() throws IOException {
    Set<String> ids = routeIds();
    // Only in literals: a comment may name a route.
    Pattern literal = Pattern.compile("\"(?:direct:)?([a-z][a-z-]*)\"");
    Set<String> found = new TreeSet<>();
    for (Path source : files(SOURCES, ".java")) {
      literal
          .matcher(Files.readString(source))
          .results()
          .map(match -> match.group(1))
          .filter(ids::contains)
          .map(id -> className(source) + " " + id)
          .forEach(found::add);
    }

    Set<String> more = new TreeSet<>(found);
    more.removeAll(HOMONYMS);
    assertEquals(Set.of(), more, "each of these reads like the id of a route");
    Set<String> fewer = new TreeSet<>(HOMONYMS);
    fewer.removeAll(found);
    assertEquals(Set.of(), fewer, "these no longer exist: remove them from HOMONYMS");
  }

  private static Set<String> routeIds() throws IOException {
    ObjectMapper yaml = new ObjectMapper(new YAMLFactory());
    Set<String> ids = new TreeSet<>();
    for (Path file : files(ROUTES, ".camel.yaml")) {
      for (JsonNode entry : yaml.readTree(file.toFile())) {
        if (entry.has("route")) {
          ids.add(entry.at("/route/id").asText());
        }
      }
    }
    return ids;
  }

  @Test
  void classesAreShort() throws IOException {
    Set<String> found = new TreeSet<>();
    for (Path source : files(SOURCES, ".java")) {
      if (Files.readAllLines(source).size() > MAX_LINES) {
        found.add(className(source));
      }
    }

    assertEquals(Set.of(), found, "each of these has more than " + MAX_LINES + " lines");
  }

  private static List<Path> files(Path folder, String ending) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(file -> file.toString().endsWith(ending)).sorted().toList();
    }
  }

  private static String className(Path source) {
    return source.getFileName().toString().replace(".java", "");
  }
}
