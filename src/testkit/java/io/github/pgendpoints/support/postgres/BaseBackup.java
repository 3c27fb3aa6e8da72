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
 * What pg_basebackup does, by SQL and a copy of the files: zonky ships no client programs.
 *
 * <p>The WAL is not copied; the copy has to stream it from the server it was taken from. Nor are
 * tablespaces outside the data directory.
 */
final class BaseBackup {
  /** Folders which the manual tells to leave empty in a base backup. */
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

  /** Files which say something of the running server, or of what it was before. */
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
    // The backup lasts as long as the session which has started it.
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
                // Dropped since the folder was listed; replaying the WAL drops it again.
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
