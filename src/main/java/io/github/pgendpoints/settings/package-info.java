/** The settings: environment variables, read and validated at the start of the process. */
package io.github.pgendpoints.settings;
