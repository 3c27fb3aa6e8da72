package io.github.pgendpoints.settings;

/**
 * A setting with a value that is not allowed.
 *
 * @param text one line that names the variable, its value unless that may be a secret, the problem,
 *     and what is allowed
 */
record Fault(Setting<?> setting, String text) {
  /**
   * Describes a value that is not allowed.
   *
   * @param name of the variable that is set: the setting's own or an alias
   * @param problem continues the sentence that begins with the value; empty if the allowed values
   *     say it all
   */
  static Fault of(Setting<?> setting, String name, String value, String problem) {
    String shown =
        setting.type().printable().test(value) ? "='" + withoutPassword(value) + "'" : "";
    String text =
        name + shown + (problem.isEmpty() ? "" : " " + problem) + "; allowed: " + setting.allowed();
    return new Fault(setting, text.replaceAll("\\p{Cntrl}", "?"));
  }

  /** Masks a URL up to its last @, since a password may contain one, and a connection string. */
  private static String withoutPassword(String value) {
    return value
        .replaceFirst("(?s)^(.*?//)?.*@", "$1***@")
        .replaceAll("(?is)(password\\s*=).*", "$1***");
  }
}
