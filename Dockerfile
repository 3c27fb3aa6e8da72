# The folder that 'mvn package' leaves, on a small Java 25:
#   make image
# or, without the labels for version and revision:
#   mvn package -DskipTests && docker build -t postgres-endpoint-manager .
#
# To run routes of your own, mount them over /opt/postgres-endpoint-manager/routes; to add jars,
# mount a folder of them as /opt/postgres-endpoint-manager/ext, which is last on the class path.

# The Java 25 that the tests run on, by its exact tag. A tag can be moved: for a digest of your own
# registry say --build-arg BASE=eclipse-temurin@sha256:...
ARG BASE=eclipse-temurin:25.0.3_9-jre-alpine
FROM ${BASE}

ARG BASE
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="postgres-endpoint-manager" \
      org.opencontainers.image.description="Keeps the Endpoints of a read-write and a read-only Kubernetes Service in line with a PostgreSQL cluster outside Kubernetes" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${BASE}"

# Owned by root: the program cannot change itself.
COPY target/postgres-endpoint-manager /opt/postgres-endpoint-manager

# For a quicker start; the archive fits this Java in this place, so it is made here.
RUN ["/opt/postgres-endpoint-manager/bin/postgres-endpoint-manager", "--train"]

# No account of the image has this id, so it gets a home in which .pgpass and .postgresql are looked for.
ENV HOME=/opt/postgres-endpoint-manager
WORKDIR /opt/postgres-endpoint-manager
USER 1000:1000
ENTRYPOINT ["/opt/postgres-endpoint-manager/bin/postgres-endpoint-manager"]
