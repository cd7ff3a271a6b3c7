// Package config is the one YAML file that Stillcast is set up by. It composes
// the settings of the packages that use them, and says of every fault in which
// line of the file it is. It reads no environment variables.
//
// A new setting goes into the Config of the package that uses it, and into
// stillcast.yaml beside this file; the tests see to it that both agree.
package config

import (
	"fmt"
	"net/url"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/api"
	"github.com/stillcast/stillcast/internal/capture"
	"github.com/stillcast/stillcast/internal/codec"
	"github.com/stillcast/stillcast/internal/console"
	"github.com/stillcast/stillcast/internal/ingest"
	"github.com/stillcast/stillcast/internal/ingest/rtmp"
	"github.com/stillcast/stillcast/internal/notify"
)

// Config is the whole configuration.
type Config struct {
	// DataDir is the folder of the database, of pictures not stored yet, and of
	// keys; relative to where Stillcast is started.
	DataDir string `yaml:"data_dir"`
	// PublicURL is the base of the URLs of local pictures.
	PublicURL string `yaml:"public_url"`
	// TimeZone is that of {Year}…{Second} in names and of times in the API, see
	// [ParseTimeZone].
	TimeZone  string         `yaml:"time_zone"`
	Log       Log            `yaml:"log"`
	Listen    Listen         `yaml:"listen"`
	Ingest    Ingest         `yaml:"ingest"`
	Capture   capture.Config `yaml:"capture"`
	Codec     codec.Config   `yaml:"codec"`
	Storage   Storage        `yaml:"storage"`
	Callback  notify.Config  `yaml:"callback"`
	API       api.Config     `yaml:"api"`
	Console   console.Config `yaml:"console"`
	Resources Resources      `yaml:"resources"`
}

// Ingest is what bounds pushes, and the protocols that publishers push with.
type Ingest struct {
	Gate ingest.Config `yaml:",inline"`
	// RTMP has no addresses of its own: they are Listen.RTMP and Listen.RTMPS.
	RTMP rtmp.Config `yaml:"rtmp"`
}

// Default returns the configuration of an empty file.
func Default() Config {
	return Config{
		DataDir:   "./data",
		PublicURL: "http://127.0.0.1:8080",
		TimeZone:  "+08:00",
		Log:       DefaultLog(),
		Listen:    DefaultListen(),
		Ingest:    Ingest{Gate: ingest.DefaultConfig(), RTMP: rtmp.DefaultConfig()},
		Capture:   capture.DefaultConfig(),
		Codec:     codec.DefaultConfig(),
		Storage:   DefaultStorage(),
		Callback:  notify.DefaultConfig(),
		API:       api.DefaultConfig(),
		Console:   console.DefaultConfig(),
	}
}

// Validate reports everything that is not allowed, one fault for each part of
// the configuration, as [stillcast.Error] whose Field is the path in the file.
func (c *Config) Validate() []error {
	_, zoneErr := ParseTimeZone(c.TimeZone)
	parts := []struct {
		path string
		err  error
	}{
		{"data_dir", validateDataDir(c.DataDir)},
		{"public_url", validatePublicURL(c.PublicURL)},
		{"time_zone", zoneErr},
		{"log", c.Log.Validate()},
		{"listen", c.Listen.Validate()},
		{"ingest", c.Ingest.Gate.Validate()},
		{"ingest.rtmp", c.Ingest.RTMP.Validate()},
		{"ingest.rtmp.tls", c.validateTLS()},
		{"capture", c.Capture.Validate()},
		{"codec", c.Codec.Validate()},
		{"ingest.rtmp.max_pixels", c.validatePixels()},
		{"storage", c.Storage.Validate()},
		{"callback", c.Callback.Validate()},
		{"api", c.API.Validate()},
		{"console", c.Console.Validate()},
	}
	var faults []error
	for _, p := range parts {
		if p.err != nil {
			faults = append(faults, stillcast.Within(p.path, p.err))
		}
	}
	for _, err := range c.Resources.Validate() {
		faults = append(faults, stillcast.Within("resources", err))
	}
	return append(faults, c.validateMirrors()...)
}

// Location returns the configured time zone; the configuration must be valid.
func (c *Config) Location() *time.Location {
	location, err := ParseTimeZone(c.TimeZone)
	if err != nil {
		return time.UTC // not reached with a valid configuration
	}
	return location
}

func validateDataDir(dir string) error {
	if dir == "" {
		return stillcast.Errorf(stillcast.CodeInvalid, "", "is empty; expected a folder, such as ./data or /var/lib/stillcast")
	}
	return nil
}

func validatePublicURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return stillcast.Errorf(stillcast.CodeInvalid, "", "%q is not allowed; expected http(s)://HOST[:PORT][/PATH]", raw)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return stillcast.Errorf(stillcast.CodeInvalid, "", "%q has a query or fragment, which is not allowed; expected http(s)://HOST[:PORT][/PATH]", raw)
	case u.User != nil:
		return stillcast.Errorf(stillcast.CodeInvalid, "", "holds a user name or password, which is not allowed: the URL is sent to receivers")
	}
	return nil
}

// validateTLS refuses RTMPS without its certificate.
func (c *Config) validateTLS() error {
	if t := c.Ingest.RTMP.TLS; c.Listen.RTMPS != "" && (t.Certificate == "" || t.Key == "") {
		return stillcast.Errorf(stillcast.CodeInvalid, "", "lacks certificate or key; listen.rtmps needs both files")
	}
	return nil
}

// validateMirrors refuses templates whose mirror there is not. A file without
// mirrors may be applied to a server that has them, which checks it by itself.
func (c *Config) validateMirrors() (faults []error) {
	if len(c.Storage.Mirrors) == 0 {
		return nil
	}
	for i, t := range c.Resources.SnapshotTemplates {
		if err := c.Storage.CheckMirror(t.Mirror); err != nil {
			faults = append(faults, stillcast.Within(fmt.Sprintf("resources.snapshot_templates[%d]", i), err))
		}
	}
	return faults
}

// validatePixels refuses streams that would be accepted and never give a picture.
func (c *Config) validatePixels() error {
	if c.Ingest.RTMP.MaxPixels > c.Codec.MaxPixels {
		return stillcast.Errorf(stillcast.CodeInvalid, "", "is %d, more than codec.max_pixels (%d): no picture could be made of such a stream",
			c.Ingest.RTMP.MaxPixels, c.Codec.MaxPixels)
	}
	return nil
}
