package io.github.pgendpoints.settings;

import java.util.Map;

/** Settings for tests on one machine, which accept its loopback addresses. */
public final class TestSettings {
  private TestSettings() {}

  public static Settings read(Map<String, String> environment) throws InvalidSettingsException {
    return SettingsReader.read(environment, true);
  }
}
