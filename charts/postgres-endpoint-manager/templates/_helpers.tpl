{{/* The mode: deployment or cronjob. */}}
{{- define "pgendpoints.mode" -}}
{{- $c := .Values.cronJob -}}
{{- if .Values.mode -}}{{ .Values.mode }}
{{- else if or .Values.RWIPs .Values.ROIPs $c.schedule $c.image $c.env -}}cronjob
{{- else -}}deployment
{{- end -}}
{{- end -}}

{{- define "pgendpoints.name" -}}{{ .Values.fullnameOverride | default "postgres-endpoint-manager" }}{{- end -}}

{{- define "pgendpoints.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (include "pgendpoints.name" .) }}
{{- end -}}

{{/* The labels of every object. */}}
{{- define "pgendpoints.labels" -}}
app.kubernetes.io/name: postgres-endpoint-manager
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{/* Labels or annotations with those of a user, of (list own theirs name-of-the-value). */}}
{{- define "pgendpoints.with" -}}
{{- $own := index . 0 | fromYaml -}}
{{- $theirs := index . 1 | default dict -}}
{{- range $key, $_ := $theirs -}}
{{- if hasKey $own $key -}}{{- fail (printf "%s: the chart sets %s itself" (index $ 2) $key) -}}{{- end -}}
{{- end -}}
{{- toYaml (merge $own $theirs) -}}
{{- end -}}

{{/* The labels that select the pods of the Deployment. */}}
{{- define "pgendpoints.selector" -}}
app.kubernetes.io/name: postgres-endpoint-manager
app.kubernetes.io/instance: {{ include "pgendpoints.name" . }}
{{- end -}}

{{/* A value of a setting as text. Helm reads 16777216 as a floating-point number. */}}
{{- define "pgendpoints.text" -}}
{{- if and (kindIs "float64" .) (eq . (floor .)) -}}{{ printf "%.0f" . }}{{- else -}}{{ toString . }}{{- end -}}
{{- end -}}

{{/* A setting as text, of (list name value). YAML reads off without quotes as false. */}}
{{- define "pgendpoints.setting" -}}
{{- $value := index . 1 -}}
{{- $hasOff := has (index . 0) (list "ALERT_MAIL_TLS" "JOLOKIA_PORT" "RO_MAX_LAG") -}}
{{- if and $hasOff (kindIs "bool" $value) (not $value) -}}off
{{- else -}}{{ include "pgendpoints.text" $value }}
{{- end -}}
{{- end -}}

{{/* The variables of the original chart that count, as YAML. */}}
{{- define "pgendpoints.env" -}}
{{- $env := dict -}}
{{- range $name, $value := .Values.cronJob.env -}}
{{- /* The program runs in UTC, whatever TZ says; an empty variable counts as not set. */ -}}
{{- if not (or (has $name (list "PGPASSWORD" "TZ")) (kindIs "invalid" $value) (eq (toString $value) "")) -}}
{{- $_ := set $env $name (include "pgendpoints.setting" (list $name $value)) -}}
{{- end -}}
{{- end -}}
{{- toYaml $env -}}
{{- end -}}

{{/* The variables of the ConfigMap, as YAML: settings, and the values of the original chart. */}}
{{- define "pgendpoints.settings" -}}
{{- $all := dict -}}
{{- range $name, $value := .Values.settings -}}
{{- if not (kindIs "invalid" $value) -}}{{- $_ := set $all $name (include "pgendpoints.setting" (list $name $value)) -}}{{- end -}}
{{- end -}}
{{- $nodes := concat (.Values.RWIPs | default list) (.Values.ROIPs | default list) | uniq -}}
{{- if and $nodes (eq (get $all "PG_NODES") "REPLACE-ME") -}}{{- $_ := set $all "PG_NODES" (join "," $nodes) -}}{{- end -}}
{{- with .Values.portPostgresql -}}{{- $_ := set $all "PGPORT" (include "pgendpoints.text" .) -}}{{- end -}}
{{- $env := include "pgendpoints.env" . | fromYaml -}}
{{- with get $env "PG_PORT" -}}{{- $_ := set $all "PGPORT" . -}}{{- end -}}
{{- $prefix := get $env "CHART_NAME" | default (get $env "HELM_RELEASE") -}}
{{- if $prefix -}}
{{- range $service, $suffix := dict "RW_SERVICE" "-rw" "RO_SERVICE" "-ro" -}}
{{- /* A name that settings give takes precedence, as in the program. */ -}}
{{- if has (get $all $service) (list "" (printf "postgresql-external%s" $suffix)) -}}
{{- $_ := set $all $service (printf "%s%s" $prefix $suffix) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $all = merge (omit $env "PG_PORT" "CHART_NAME" "HELM_RELEASE" "NAMESPACE" "DEFAULT_NAMESPACE") $all -}}
{{- $namespace := get $env "NAMESPACE" | default (get $env "DEFAULT_NAMESPACE") | default .Release.Namespace -}}
{{- if ne $namespace .Release.Namespace -}}
{{- fail (printf "cronJob.env: NAMESPACE is %s, but the release is in %s: use --namespace %s" $namespace .Release.Namespace $namespace) -}}
{{- end -}}
{{- /* The defaults of the program, which other objects need as well. */ -}}
{{- range $name, $default := dict "RW_SERVICE" "postgres-external-rw" "RO_SERVICE" "postgres-external-ro" -}}
{{- if not (get $all $name) -}}{{- $_ := set $all $name $default -}}{{- end -}}
{{- end -}}
{{- if eq (get $all "RW_SERVICE") (get $all "RO_SERVICE") -}}
{{- fail "settings: RO_SERVICE is also the RW_SERVICE" -}}
{{- end -}}
{{- if ne (empty (get $all "PGSSLCERT")) (empty (get $all "PGSSLKEY")) -}}
{{- fail "settings: PGSSLCERT and PGSSLKEY need each other" -}}
{{- end -}}
{{- toYaml $all -}}
{{- end -}}

{{/* The ports of PostgreSQL, as a JSON list: PGPORT first, then those in PG_NODES. */}}
{{- define "pgendpoints.ports" -}}
{{- $settings := include "pgendpoints.settings" . | fromYaml -}}
{{- $ports := list (get $settings "PGPORT" | default "5432" | atoi) -}}
{{- range splitList "," (get $settings "PG_NODES") -}}
{{- $node := trim . -}}
{{- if regexMatch `^(\[[^\]]*\]|[^:]*):[0-9]+$` $node -}}
{{- $ports = append $ports (regexFind `[0-9]+$` $node | atoi) -}}
{{- end -}}
{{- end -}}
{{- uniq $ports | toJson -}}
{{- end -}}

{{- define "pgendpoints.image" -}}
{{- $image := .Values.image -}}
{{- $old := .Values.cronJob.image | default dict -}}
{{- $isOld := and $old.repository (hasPrefix "REPLACE-ME/" $image.repository) -}}
{{- if $image.digest -}}{{ $image.repository }}@{{ $image.digest }}
{{- else if $isOld -}}{{ $old.repository }}:{{ $old.tag | default .Chart.AppVersion }}
{{- else -}}{{ $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* The password for a Secret of the chart; nothing if there is none. */}}
{{- define "pgendpoints.password" -}}
{{- if not .Values.password.existingSecret -}}
{{ .Values.password.value | default (include "pgendpoints.text" (get (.Values.cronJob.env | default dict) "PGPASSWORD" | default "")) }}
{{- else if .Values.password.value -}}
{{ fail "password: set existingSecret or value, not both" }}
{{- end -}}
{{- end -}}
