{{/* The spec of a pod. Takes (list root kind): deployment, cronjob, or test. */}}
{{- define "pgendpoints.pod" -}}
{{- $root := index . 0 -}}
{{- $kind := index . 1 -}}
{{- $name := include "pgendpoints.name" $root -}}
{{- $home := "/opt/postgres-endpoint-manager" -}}
{{- $jars := $root.Values.jars -}}
{{- with $root.Values }}
{{- if eq $kind "deployment" }}
topologySpreadConstraints:
  {{- if .topologySpreadConstraints }}
  {{- toYaml .topologySpreadConstraints | nindent 2 }}
  {{- else }}
  - topologyKey: kubernetes.io/hostname
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- include "pgendpoints.selector" $root | nindent 8 }}
  {{- end }}
terminationGracePeriodSeconds: 10
{{- else }}
restartPolicy: Never
{{- end }}
{{- if .affinity }}
affinity:
  {{- toYaml .affinity | nindent 2 }}
{{- else if eq $kind "deployment" }}
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: topology.kubernetes.io/zone
          labelSelector:
            matchLabels:
              {{- include "pgendpoints.selector" $root | nindent 14 }}
{{- end }}
{{- if .tolerations }}
tolerations:
  {{- toYaml .tolerations | nindent 2 }}
{{- else if eq $kind "deployment" }}
tolerations:
  {{- range list "not-ready" "unreachable" }}
  - key: node.kubernetes.io/{{ . }}
    operator: Exists
    effect: NoExecute
    tolerationSeconds: 30
  {{- end }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
serviceAccountName: {{ include "pgendpoints.serviceAccount" $root }}
automountServiceAccountToken: true
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  seccompProfile:
    type: RuntimeDefault
{{- if $jars.image.reference }}
initContainers:
  - name: jars
    image: {{ $jars.image.reference }}
    {{- with $jars.image.pullPolicy }}
    imagePullPolicy: {{ . }}
    {{- end }}
    command: [cp, -R, "{{ $jars.image.path }}/.", {{ $home }}/ext]
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities:
        drop: [ALL]
    resources:
      requests:
        cpu: 10m
        memory: 16Mi
      limits:
        memory: 64Mi
    volumeMounts:
      - name: ext
        mountPath: {{ $home }}/ext
{{- end }}
containers:
  - name: manager
    image: {{ include "pgendpoints.image" $root }}
    {{- with .image.pullPolicy | default (get (.cronJob.image | default dict) "pullPolicy") }}
    imagePullPolicy: {{ . }}
    {{- end }}
    {{- if ne $kind "deployment" }}
    args: [{{ ternary "--once" "status" (eq $kind "cronjob") }}]
    {{- end }}
    terminationMessagePolicy: FallbackToLogsOnError
    envFrom:
      - configMapRef:
          name: {{ $name }}
    env:
      - name: PGPASSWORD_FILE
        value: /run/secrets/postgresql/{{ .password.key }}
      {{- if eq $kind "deployment" }}
      - name: LEASE_NAME
        value: {{ $name }}-leader
      - name: POD_UID
        valueFrom:
          fieldRef:
            fieldPath: metadata.uid
      {{- end }}
      - name: STATE
        value: {{ $name }}-state
      {{- if eq $kind "deployment" }}
      - name: MANAGEMENT_PORT
        value: "8080"
      {{- end }}
      {{- with .extraEnv }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    {{- if eq $kind "deployment" }}
    ports:
      - name: management
        containerPort: 8080
    startupProbe:
      httpGet:
        path: /observe/health/live
        port: management
      periodSeconds: 1
      timeoutSeconds: 3
      failureThreshold: 120
    livenessProbe:
      httpGet:
        path: /observe/health/live
        port: management
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 3
    readinessProbe:
      httpGet:
        path: /observe/health/ready
        port: management
      periodSeconds: 5
      timeoutSeconds: 3
    {{- end }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities:
        drop: [ALL]
    resources:
      {{- if .resources }}
      {{- toYaml .resources | nindent 6 }}
      {{- else }}
      requests:
        cpu: {{ ternary "100m" "500m" (eq $kind "deployment") }}
        memory: {{ ternary "192Mi" "128Mi" (eq $kind "deployment") }}
      limits:
        memory: 256Mi
      {{- end }}
    volumeMounts:
      - name: password
        mountPath: /run/secrets/postgresql
        readOnly: true
      - name: routes
        mountPath: {{ $home }}/routes
        readOnly: true
      - name: alerts
        mountPath: {{ $home }}/routes/alerts
        readOnly: true
      - name: tmp
        mountPath: /tmp
      {{- if or $jars.volume $jars.image.reference }}
      - name: ext
        mountPath: {{ $home }}/ext
        readOnly: true
      {{- end }}
      {{- with .extraVolumeMounts }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
volumes:
  - name: password
    secret:
      secretName: {{ .password.existingSecret | default $name }}
      defaultMode: 0440
  - name: routes
    configMap:
      name: {{ $name }}-routes
  - name: alerts
    configMap:
      name: {{ $name }}-alerts
  - name: tmp
    emptyDir:
      sizeLimit: 16Mi
  {{- if and $jars.volume $jars.image.reference }}
  {{- fail "jars: set volume or image.reference, not both" }}
  {{- else if $jars.volume }}
  - name: ext
    {{- toYaml $jars.volume | nindent 4 }}
  {{- else if $jars.image.reference }}
  - name: ext
    emptyDir:
      sizeLimit: 256Mi
  {{- end }}
  {{- with .extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end -}}
