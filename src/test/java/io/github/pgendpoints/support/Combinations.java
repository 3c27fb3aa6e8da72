package io.github.pgendpoints.support;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** Every overlay with every subset of the components that it names in comments. */
public final class Combinations {
  private Combinations() {}

  /** Returns an overlay and the names of components, for each combination. */
  public static Stream<Arguments> all() throws IOException {
    List<Arguments> combinations = new ArrayList<>();
    for (Path overlay : Manifests.overlays().toList()) {
      List<String> components = Manifests.components(overlay);
      if (components.size() < 2) {
        throw new AssertionError(overlay + " names only " + components);
      }
      for (int bits = 0; bits < 1 << components.size(); bits++) {
        Set<String> some = new TreeSet<>();
        for (int i = 0; i < components.size(); i++) {
          if ((bits & 1 << i) != 0) {
            some.add(components.get(i));
          }
        }
        combinations.add(Arguments.of(overlay, some));
      }
    }
    return combinations.stream();
  }
}
