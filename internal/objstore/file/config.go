package file

import (
	"strings"
	"time"

	"github.com/stillcast/stillcast"
)

// MinURLLifetime is the shortest life of a signed URL. A receiver needs some
// time to fetch the picture, and the clocks of both sides differ.
const MinURLLifetime = time.Minute

// Config is the settings of the file backend.
type Config struct {
	// Dir is the folder of the pictures; "" means "pictures" in the data folder.
	Dir string `yaml:"dir"`
	// SignedURLs makes the URLs of pictures carry an expiry and a signature,
	// without which a picture is not served.
	SignedURLs bool `yaml:"signed_urls"`
	// URLLifetime is how long a URL is valid from when it was made.
	URLLifetime time.Duration `yaml:"url_lifetime"`
	// CacheControl is the Cache-Control header of every picture; "" for none.
	CacheControl string `yaml:"cache_control"`
	// Fsync makes Put wait until picture and folder survive a power loss.
	Fsync bool `yaml:"fsync"`
}

// DefaultConfig returns the settings of a configuration that says nothing.
func DefaultConfig() Config {
	return Config{
		SignedURLs:   true,
		URLLifetime:  24 * time.Hour,
		CacheControl: "private, max-age=86400, immutable",
		Fsync:        true,
	}
}

// Validate reports the first setting that is not allowed.
func (c Config) Validate() error {
	if strings.ContainsRune(c.Dir, 0) {
		return stillcast.Errorf(stillcast.CodeInvalid, "dir", "holds a NUL byte")
	}
	if c.SignedURLs && c.URLLifetime < MinURLLifetime {
		return stillcast.Errorf(stillcast.CodeInvalid, "url_lifetime", "is %s; at least %s is needed", c.URLLifetime, MinURLLifetime)
	}
	for _, r := range c.CacheControl {
		if r < 0x20 || r > 0x7e {
			return stillcast.Errorf(stillcast.CodeInvalid, "cache_control",
				"%q holds %q; a header value has printable ASCII characters only", c.CacheControl, r)
		}
	}
	return nil
}
