package stillcast

import (
	"errors"
	"net/url"
	"time"
)

// Limits of a snapshot template, those of Tencent Cloud CSS.
const (
	MinInterval     = 2 * time.Second
	MaxInterval     = 300 * time.Second
	MaxWidth        = 3000
	MaxHeight       = 2000
	MaxTemplateName = 255
	MaxBucket       = 63 // bytes, as in S3 (Amazon S3 user guide, "Bucket naming rules")
	DefaultInterval = 10 * time.Second
	DefaultQuality  = 85

	MaxRenditions    = 4
	DefaultHeartbeat = 5 * time.Minute
)

// SnapshotTemplate says what to capture and where the picture goes.
type SnapshotTemplate struct {
	ID          int64
	Name        string
	Description string
	Interval    time.Duration // between due times; 0 means DefaultInterval
	Width       int           // of the picture in pixels; 0 follows the source, see package codec
	Height      int
	Bucket      string // without the "-APPID" suffix
	AppID       int64
	Region      string
	Prefix      string // folder with placeholders; "" means DefaultPrefix
	FileName    string // file name with placeholders; "" means DefaultFileName
	Quality     int    // JPEG quality 1–100; 0 means DefaultQuality

	Accuracy    Accuracy // "" means AccuracyKeyframe
	Format      Format   // "" means FormatJPEG
	Fit         Fit      // "" means FitStretch
	Progressive bool     // JPEGs that build up while they load: smaller, seven times the work
	EXIF        bool     // pictures carry capture time and stream
	// Renditions are further sizes, each stored as an object of its own.
	Renditions Renditions
	// SkipBlack and SkipUnchanged leave out shots that are black, or look like
	// the shot before, but never for longer than Heartbeat.
	SkipBlack     bool
	SkipUnchanged bool
	Heartbeat     time.Duration // 0 means DefaultHeartbeat
	Facts         bool          // events carry the shot's facts under "stillcast"
}

// Validate reports the first field that is not allowed.
func (t SnapshotTemplate) Validate() error {
	if err := validateTemplateName(t.Name); err != nil {
		return err
	}
	if t.Interval != 0 && (t.Interval < MinInterval || t.Interval > MaxInterval) {
		return Errorf(CodeInvalid, "interval", "is %s; allowed are %s to %s", t.Interval, MinInterval, MaxInterval)
	}
	if t.Interval%time.Second != 0 {
		return Errorf(CodeInvalid, "interval", "is %s; whole seconds are allowed", t.Interval)
	}
	ranges := []struct {
		field         string
		value, lo, hi int
	}{
		{"width", t.Width, 0, MaxWidth},
		{"height", t.Height, 0, MaxHeight},
		{"quality", t.Quality, 0, 100},
	}
	for _, r := range ranges {
		if r.value < r.lo || r.value > r.hi {
			return Errorf(CodeInvalid, r.field, "is %d; allowed are %d to %d", r.value, r.lo, r.hi)
		}
	}
	if err := t.validateBucket(); err != nil {
		return err
	}
	t = t.WithDefaults()
	return validateNameTemplates(t.Prefix, t.FileName)
}

func (t SnapshotTemplate) validateBucket() error {
	if t.AppID < 0 {
		return Errorf(CodeInvalid, "app_id", "is %d; it must not be negative", t.AppID)
	}
	if err := validateBucketPart("bucket", t.Bucket); err != nil {
		return err
	}
	return validateBucketPart("region", t.Region)
}

func validateBucketPart(field, value string) error {
	if len(value) > MaxBucket {
		return Errorf(CodeInvalid, field, "is %d bytes long; at most %d are allowed", len(value), MaxBucket)
	}
	for _, r := range value {
		ok := r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-'
		if !ok {
			return Errorf(CodeInvalid, field, "%q holds %q; allowed are lower-case letters, digits and '-'", value, r)
		}
	}
	return nil
}

func validateTemplateName(name string) error {
	switch {
	case name == "":
		return Errorf(CodeInvalid, "name", "is empty")
	case len(name) > MaxTemplateName:
		return Errorf(CodeInvalid, "name", "is %d bytes long; at most %d are allowed", len(name), MaxTemplateName)
	}
	return nil
}

// WithDefaults returns t with every zero value that has a default replaced.
func (t SnapshotTemplate) WithDefaults() SnapshotTemplate {
	if t.Interval == 0 {
		t.Interval = DefaultInterval
	}
	if t.Prefix == "" {
		t.Prefix = DefaultPrefix
	}
	if t.FileName == "" {
		t.FileName = DefaultFileName
	}
	if t.Quality == 0 {
		t.Quality = DefaultQuality
	}
	return t
}

// SnapshotRule binds a snapshot template to streams. Empty App or Stream is the
// wildcard; the most specific rule wins, see [Resources.SnapshotTemplate].
type SnapshotRule struct {
	Domain     string // name of a [Domain]
	App        string
	Stream     string
	TemplateID int64
}

// CallbackTemplate says where events go and with which key they are signed.
// An event whose URL is empty is not sent.
type CallbackTemplate struct {
	ID             int64
	Name           string
	Description    string
	Key            Secret // signs events: sign = md5hex(key + t); "" sends them unsigned
	SnapshotURL    string // event 200
	StreamBeginURL string // event 1
	StreamEndURL   string // event 0
}

// URL returns the URL for events of type t; "" for none.
func (t CallbackTemplate) URL(e EventType) string {
	switch e {
	case EventShot:
		return t.SnapshotURL
	case EventPushBegin:
		return t.StreamBeginURL
	case EventPushEnd:
		return t.StreamEndURL
	}
	return ""
}

// Validate reports the first field that is not allowed.
func (t CallbackTemplate) Validate() error {
	if err := validateTemplateName(t.Name); err != nil {
		return err
	}
	urls := []struct{ field, value string }{
		{"snapshot_url", t.SnapshotURL},
		{"stream_begin_url", t.StreamBeginURL},
		{"stream_end_url", t.StreamEndURL},
	}
	given := 0
	for _, u := range urls {
		if u.value == "" {
			continue
		}
		given++
		if err := validateCallbackURL(u.field, u.value); err != nil {
			return err
		}
	}
	if given == 0 {
		return Errorf(CodeInvalid, "snapshot_url", "at least one of snapshot_url, stream_begin_url and stream_end_url must be given")
	}
	return nil
}

func validateCallbackURL(field, value string) error {
	u, err := url.Parse(value)
	if err != nil {
		return Errorf(CodeInvalid, field, "is not a URL: %s", reason(err))
	}
	switch {
	case u.User != nil: // first, so that no other message shows the password
		return Errorf(CodeInvalid, field, "holds a user name or password, which is not allowed; events are signed with the template's key instead")
	case u.Scheme != "http" && u.Scheme != "https":
		return Errorf(CodeInvalid, field, "%q has the scheme %q; allowed are http and https", value, u.Scheme)
	case u.Hostname() == "":
		return Errorf(CodeInvalid, field, "%q has no host", value)
	}
	return nil
}

// reason returns what [url.Parse] found without the URL, which may hold a password.
func reason(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// CallbackRule binds a callback template to the streams of a domain and app.
// Empty App is the wildcard.
type CallbackRule struct {
	Domain     string
	App        string
	TemplateID int64
}
