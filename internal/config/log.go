package config

import (
	"io"
	"log/slog"

	"github.com/stillcast/stillcast"
)

// Log says what is logged and how.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn or error
	Format string `yaml:"format"` // text or json
}

// DefaultLog returns the settings of a configuration that says nothing.
func DefaultLog() Log { return Log{Level: "info", Format: "text"} }

// Validate reports the first setting that is not allowed.
func (l Log) Validate() error {
	if _, ok := l.level(); !ok {
		return stillcast.Errorf(stillcast.CodeInvalid, "level", "is %q; allowed are debug, info, warn and error", l.Level)
	}
	if l.Format != "text" && l.Format != "json" {
		return stillcast.Errorf(stillcast.CodeInvalid, "format", "is %q; allowed are text and json", l.Format)
	}
	return nil
}

func (l Log) level() (slog.Level, bool) {
	switch l.Level {
	case "debug":
		return slog.LevelDebug, true
	case "info":
		return slog.LevelInfo, true
	case "warn":
		return slog.LevelWarn, true
	case "error":
		return slog.LevelError, true
	}
	return slog.LevelInfo, false
}

// Logger returns a logger that writes to w as the settings say.
func (l Log) Logger(w io.Writer) *slog.Logger {
	level, _ := l.level()
	options := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
