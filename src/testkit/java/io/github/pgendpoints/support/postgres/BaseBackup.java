package io.github.pgendpoints.support.postgres;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Set;

/**
 * Does what pg_basebackup does, by SQL and a copy of the files: zonky ships no client programs.
 *
 * <p>The WAL is not copied; the copy must stream it from its source server. Tablespaces outside the
 * data directory are not copied either.
 */
final class BaseBackup {
  /** Folders that a base backup leaves empty, according to the PostgreSQL manual. */
  private static final Set<String> EMPTY_FOLDERS =
      Set.of(
          "pg_dynshmem",
          "pg_notify",
          "pg_replslot",
          "pg_serial",
          "pg_snapshots",
          "pg_stat_tmp",
          "pg_subtrans",
          "pg_wal");

  /** Files that describe the running server or its earlier state. */
  private static final Set<String> LEFT_OUT =
      Set.of(
          "backup_label.old",
          "postmaster.opts",
          "postmaster.pid",
          "pg_internal.init",
          "standby.signal");

  private BaseBackup() {}

  /** Makes each of {@code targets}, which must not exist, a copy of the running {@code source}. */
  static void copy(PostgresServer source, List<Path> targets) throws SQLException {
    // The backup lasts as long as the session that started it.
    try (Connection connection = source.connect();
        Statement statement = connection.createStatement()) {
      boolean renamed = connection.getMetaData().getDatabaseMajorVersion() >= 15;
      statement.execute(
          renamed
              ? "SELECT pg_backup_start('copy', true)"
              : "SELECT pg_start_backup('copy', true, false)");
      targets.parallelStream().forEach(target -> copyFiles(source.dataDirectory(), target));
      try (ResultSet backup =
          statement.executeQuery(
              "SELECT labelfile, spcmapfile FROM "
                  + (renamed ? "pg_backup_stop(false)" : "pg_stop_backup(false, false)"))) {
        backup.next();
        for (Path target : targets) {
          write(target.resolve("backup_label"), backup.getString("labelfile"));
          write(target.resolve("tablespace_map"), backup.getString("spcmapfile"));
        }
      }
    }
  }

  private static void write(Path file, String content) {
    try {
      if (!content.isEmpty()) {
        Files.writeString(file, content);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void copyFiles(Path source, Path target) {
    try {
      Files.walkFileTree(
          source,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes)
                throws IOException {
              Files.copy(folder, target.resolve(source.relativize(folder)));
              return EMPTY_FOLDERS.contains(folder.getFileName().toString())
                  ? FileVisitResult.SKIP_SUBTREE
                  : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              String name = file.getFileName().toString();
              if (!LEFT_OUT.contains(name) && !name.startsWith("pgsql_tmp")) {
                try {
                  Files.copy(file, target.resolve(source.relativize(file)));
                } catch (NoSuchFileException e) {
                  return visitFileFailed(file, e);
                }
              }
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException failure)
                throws IOException {
              if (failure instanceof NoSuchFileException) {
                // Dropped after the folder was listed; the replay of the WAL drops it again.
                return FileVisitResult.CONTINUE;
              }
              throw failure;
            }
          });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
