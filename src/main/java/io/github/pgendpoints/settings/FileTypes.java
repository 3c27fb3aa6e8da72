package io.github.pgendpoints.settings;

import io.github.pgendpoints.kubernetes.Certificates;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Pattern;

/** Types of values that name files. */
final class FileTypes {
  private static final Pattern PATH = Pattern.compile("(/|\\.\\.?/|~)[^\\r\\n]{0,255}");

  private FileTypes() {}

  /** A file that this process may read. */
  static ValueType<String> readableFile() {
    return ValueType.of("a readable file", text -> requireReadable(text, text))
        .printableIf(FileTypes::looksLikePath);
  }

  /** A file of certificates that this process may read. */
  static ValueType<String> certificates() {
    return ValueType.of("a readable PEM file", FileTypes::certificates)
        .printableIf(FileTypes::looksLikePath);
  }

  private static String certificates(String name) {
    String fault = Certificates.fault(content(requireReadable(name, name)));
    if (fault != null) {
      throw new IllegalArgumentException(fault);
    }
    return name;
  }

  /**
   * The contents of a file.
   *
   * @throws IllegalArgumentException if it cannot be read
   */
  static byte[] content(String name) {
    try {
      return Files.readAllBytes(Path.of(name));
    } catch (IOException e) {
      throw new IllegalArgumentException("cannot be read", e);
    }
  }

  /** Files of which some may be missing, as for kubectl. */
  static ValueType<String> readableFiles() {
    return ValueType.of(
            "a readable file, or several separated by colons",
            text -> requireReadable(text, text.split(File.pathSeparator)))
        .printableIf(FileTypes::looksLikePath);
  }

  /** A file that holds a secret. A user may set the secret itself by mistake. */
  static ValueType<Path> secretFile() {
    return ValueType.of("a readable file that is not empty", FileTypes::secretFile)
        .printableIf(text -> false);
  }

  private static Path secretFile(String name) {
    Path file = Path.of(requireReadable(name, name));
    String content;
    try {
      content = Files.readString(file).strip();
    } catch (IOException e) {
      throw new IllegalArgumentException("cannot be read as UTF-8", e);
    }
    if (content.isEmpty()) {
      throw new IllegalArgumentException("is empty");
    }
    if (content.equals(SettingsReader.PLACEHOLDER)) {
      throw new IllegalArgumentException("holds a placeholder");
    }
    return file;
  }

  /** Whether the value is a path rather than, for example, the key that the file should contain. */
  static boolean looksLikePath(String text) {
    return PATH.matcher(text).matches();
  }

  private static String requireReadable(String text, String... names) {
    if (Arrays.stream(names).noneMatch(FileTypes::isReadable)) {
      throw new IllegalArgumentException("is not a readable file");
    }
    return text;
  }

  private static boolean isReadable(String name) {
    try {
      return Files.isRegularFile(Path.of(name)) && Files.isReadable(Path.of(name));
    } catch (InvalidPathException e) {
      // Its message repeats the value, which may be a key.
      return false;
    }
  }
}
