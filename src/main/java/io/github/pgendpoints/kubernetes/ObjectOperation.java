package io.github.pgendpoints.kubernetes;

import java.util.Arrays;

/** What the {@code operation} of a {@code kubernetes-endpoints} URI does; each adds its kind. */
public enum ObjectOperation {
  /** The objects of a namespace; with a map of labels as the body, those that carry all of them. */
  LIST("list"),
  /** The object whose name is the body; null when it does not exist. */
  GET("get"),
  /** Creates the body; 409 AlreadyExists when it is there. */
  CREATE("create"),
  /**
   * Changes what the body has and nothing else; 404 NotFound when the object does not exist. An
   * empty list, which is what a builder makes of a list that it is not given, removes what is
   * there; null leaves it.
   */
  PATCH("patch"),
  /** As {@link #PATCH}, but creates an object that does not exist. */
  PATCH_OR_CREATE("patchOrCreate"),
  /** Deletes the object that the body names; the new body says whether it was there. */
  DELETE("delete");

  private final String prefix;

  ObjectOperation(String prefix) {
    this.prefix = prefix;
  }

  /** As a URI or a header spells it, such as {@code patchEndpointSlice}. */
  public String of(ObjectKind<?> kind) {
    return prefix + (this == LIST ? kind.plural() : kind.name());
  }

  /**
   * The operation of that name.
   *
   * @throws IllegalArgumentException when there is none
   */
  static ObjectOperation named(String name, ObjectKind<?> kind) {
    return Arrays.stream(values())
        .filter(operation -> operation.of(kind).equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "Unsupported operation %s: it is one of %s"
                        .formatted(
                            name,
                            String.join(
                                ", ",
                                Arrays.stream(values())
                                    .map(operation -> operation.of(kind))
                                    .toList()))));
  }
}
