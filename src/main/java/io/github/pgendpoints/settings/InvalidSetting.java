package io.github.pgendpoints.settings;

import io.github.pgendpoints.topology.NodeList;

/**
 * A setting with a value that is not allowed.
 *
 * @param text one line that names the variable, its value unless that may be a secret, the problem,
 *     and what is allowed
 */
record InvalidSetting(Setting<?> setting, String text) {
  /**
   * Describes a value that is not allowed.
   *
   * @param name of the variable that is set: the setting's own or an alias
   * @param problem continues the sentence that begins with the value; empty if the allowed values
   *     explain it
   */
  static InvalidSetting of(Setting<?> setting, String name, String value, String problem) {
    String shown =
        setting.type().printable().test(value) ? "='" + withoutPassword(value) + "'" : "";
    String text =
        name + shown + (problem.isEmpty() ? "" : " " + problem) + "; allowed: " + setting.allowed();
    return new InvalidSetting(setting, text.replaceAll("\\p{Cntrl}", "?"));
  }

  /**
   * Masks what may be a password. A URL keeps its scheme and host, but nothing before the last @,
   * since a password may contain one. A connection string or a query keeps no value. A
   * user:password or a line of a .pgpass keeps what is before the colon.
   */
  private static String withoutPassword(String value) {
    if (!value.contains("//") && !FileTypes.looksLikePath(value)) {
      int end = 0;
      for (String item : value.split(",", -1)) {
        if (NodeList.mayHoldPassword(item)) {
          return value.contains("@") ? "***" : value.substring(0, value.indexOf(':', end)) + ":***";
        }
        end += item.length() + 1;
      }
    }
    return value
        .replaceFirst("(?s)^([\\w+.-]+://)?.*@", "$1***@")
        .replaceFirst("(?s)([?=]).*", "$1***")
        .replaceFirst("(?s)(//[^/]*/).+", "$1***");
  }
}
