package io.github.pgendpoints.management;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.camel.CamelContext;
import org.apache.camel.NamedNode;
import org.apache.camel.model.OptionalIdentifiedDefinition;
import org.apache.camel.model.ProcessorDefinitionHelper;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.RoutesDefinition;
import org.apache.camel.xml.LwModelToXMLDumper;

/**
 * Dumps routes as XML, and marks the ids that the YAML gives to steps. Hawtio shows such an id in
 * its diagrams, and a text such as "Set Variable: ${ref:cl.." for every other step. Camel 3 marked
 * them; Camel 4 only reads the mark.
 */
public final class StepIdDumper extends LwModelToXMLDumper {
  private static final Pattern ID =
      Pattern.compile("(<\\w+(?: [\\w:]+=\"[^\"]*\")*? id=\"([^\"]*)\")");

  @Override
  public String dumpModelAsXml(
      CamelContext context,
      NamedNode definition,
      boolean resolvePlaceholders,
      boolean generatedIds,
      boolean sourceLocation)
      throws Exception {
    String xml =
        super.dumpModelAsXml(
            context, definition, resolvePlaceholders, generatedIds, sourceLocation);
    Set<String> given = idsOfSteps(definition);
    return ID.matcher(xml)
        .replaceAll(match -> given.contains(match.group(2)) ? "$1 customId=\"true\"" : "$1");
  }

  private static Set<String> idsOfSteps(NamedNode definition) {
    Set<String> ids = new HashSet<>();
    for (RouteDefinition route : routes(definition)) {
      for (OptionalIdentifiedDefinition<?> step :
          ProcessorDefinitionHelper.filterTypeInOutputs(
              route.getOutputs(), OptionalIdentifiedDefinition.class)) {
        if (step.hasCustomIdAssigned()) {
          ids.add(step.getId());
        }
      }
    }
    return ids;
  }

  private static List<RouteDefinition> routes(NamedNode definition) {
    if (definition instanceof RoutesDefinition routes) {
      return routes.getRoutes();
    }
    return definition instanceof RouteDefinition route ? List.of(route) : List.of();
  }
}
