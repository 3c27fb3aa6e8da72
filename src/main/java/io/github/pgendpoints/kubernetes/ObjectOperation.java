package io.github.pgendpoints.kubernetes;

import java.util.Arrays;

/** The operations in a {@code kubernetes-endpoints} URI, where the kind follows each name. */
public enum ObjectOperation {
  /** Returns the objects of a namespace; if the body is a map of labels, those with all labels. */
  LIST("list"),
  /** Returns the object whose name is the body; null if it does not exist. */
  GET("get"),
  /** Creates the object in the body; 409 AlreadyExists if it exists. */
  CREATE("create"),
  /**
   * Changes only the fields that the body has; 404 NotFound if the object does not exist. An empty
   * list, which is a builder's default for a list, removes all entries of the object. Null keeps
   * them.
   */
  PATCH("patch"),
  /** As {@link #PATCH}, but creates an object that does not exist. */
  PATCH_OR_CREATE("patchOrCreate"),
  /** Deletes the object that the body names; the new body is whether it existed. */
  DELETE("delete");

  private final String prefix;

  ObjectOperation(String prefix) {
    this.prefix = prefix;
  }

  /** The name in a URI or a header, such as {@code patchEndpointSlice}. */
  public String of(ObjectKind<?> kind) {
    return prefix + (this == LIST ? kind.plural() : kind.name());
  }

  /**
   * Returns the operation with that name.
   *
   * @throws IllegalArgumentException if there is none
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
