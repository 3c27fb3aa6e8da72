package io.github.pgendpoints.support.kubernetes;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Finds the fields that the type of an object does not have. The models of fabric8 accept every
 * field and keep the unknown ones separately, so that a misspelt field would go unnoticed.
 */
public final class UnknownFields {
  private final List<String> found = new ArrayList<>();

  private UnknownFields() {}

  /** Returns the paths of all unknown fields, at any depth. */
  public static List<String> of(Object object) {
    UnknownFields fields = new UnknownFields();
    fields.visit(object.getClass().getSimpleName(), object);
    return fields.found;
  }

  private void visit(String path, Object value) {
    if (value instanceof Collection<?> items) {
      int index = 0;
      for (Object item : items) {
        visit(path + "[" + index++ + "]", item);
      }
    } else if (value instanceof Map<?, ?> map) {
      map.forEach((key, item) -> visit(path + "." + key, item));
    } else if (value != null && value.getClass().getName().startsWith("io.fabric8.")) {
      visitFields(path, value);
    }
  }

  private void visitFields(String path, Object value) {
    for (Method method : value.getClass().getMethods()) {
      if (method.getParameterCount() > 0 || !method.getName().startsWith("get")) {
        continue;
      }
      try {
        Object field = method.invoke(value);
        String name =
            method.getName().substring(3, 4).toLowerCase(Locale.ROOT)
                + method.getName().substring(4);
        if (!name.equals("additionalProperties")) {
          visit(path + "." + name, field);
        } else if (field instanceof Map<?, ?> unknown) {
          unknown.keySet().forEach(key -> found.add(path + "." + key));
        }
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException(path, e);
      }
    }
  }
}
