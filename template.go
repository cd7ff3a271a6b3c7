package stillcast

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
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
	MaxHeartbeat     = 24 * time.Hour
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
	Quality     int    // of the picture, 1–100; 0 means DefaultQuality

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
	// Mirror is the name of a second store that holds each picture before its
	// event is sent; "" for none. Which there are is in the configuration.
	Mirror string

	PornFlag bool // kept for clients of Tencent Cloud, without effect: pictures are not moderated
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
	if err := t.validatePicture(); err != nil {
		return err
	}
	if err := t.validateBucket(); err != nil {
		return err
	}
	if err := validateBucketPart("mirror", t.Mirror); err != nil {
		return err
	}
	t = t.WithDefaults()
	return validateNameTemplates(t.Prefix, t.FileName, t.Format.Ext())
}

// validatePicture reports the first field at fault of those that say how a
// picture is chosen and made.
func (t SnapshotTemplate) validatePicture() error {
	if err := (Size{t.Width, t.Height}).validate(); err != nil {
		return err
	}
	if t.Quality < 0 || t.Quality > 100 {
		return Errorf(CodeInvalid, "quality", "is %d; allowed are 0 to 100", t.Quality)
	}
	words := []error{
		validateWord("accuracy", t.Accuracy, AccuracyKeyframe, AccuracyExact),
		validateWord("format", t.Format, FormatJPEG, FormatWebP),
		validateWord("fit", t.Fit, FitStretch, FitContain, FitCover),
	}
	for _, err := range words {
		if err != nil {
			return err
		}
	}
	if t.Progressive && t.Format == FormatWebP {
		return Errorf(CodeInvalid, "progressive", "is for the format %s; pictures of the format %s are never progressive", FormatJPEG, t.Format)
	}
	if err := t.validateRenditions(); err != nil {
		return err
	}
	return t.validateHeartbeat()
}

// validateWord reports a value that is neither one of the allowed ones nor "",
// the default.
func validateWord[T ~string](field string, value T, allowed ...T) error {
	if value == "" || slices.Contains(allowed, value) {
		return nil
	}
	var list strings.Builder
	for i, word := range allowed {
		switch {
		case i > 0 && i == len(allowed)-1:
			list.WriteString(" and ")
		case i > 0:
			list.WriteString(", ")
		}
		list.WriteString(string(word))
	}
	return Errorf(CodeInvalid, field, "is %q; allowed are %s", value, list.String())
}

func (t SnapshotTemplate) validateRenditions() error {
	sizes := t.Renditions.Sizes()
	if _, err := NewRenditions(sizes); err != nil {
		return err
	}
	if i := slices.Index(sizes, Size{t.Width, t.Height}); i >= 0 {
		return Errorf(CodeInvalid, fmt.Sprintf("renditions[%d]", i), "is %s, as the picture itself", sizes[i])
	}
	return nil
}

func (t SnapshotTemplate) validateHeartbeat() error {
	d := t.WithDefaults()
	if d.Heartbeat < d.Interval || d.Heartbeat > MaxHeartbeat {
		return Errorf(CodeInvalid, "heartbeat", "is %s; allowed are %s, the interval, to %s", d.Heartbeat, d.Interval, MaxHeartbeat)
	}
	return nil
}

// Pictures returns the wishes for the pictures of one shot: its own, then its
// renditions in their order. t must have its defaults.
func (t SnapshotTemplate) Pictures() []PictureSpec {
	sizes := append([]Size{{t.Width, t.Height}}, t.Renditions.Sizes()...)
	specs := make([]PictureSpec, len(sizes))
	for i, s := range sizes {
		specs[i] = PictureSpec{Size: s, Fit: t.Fit, Format: t.Format, Quality: t.Quality, Progressive: t.Progressive}
	}
	return specs
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
	if t.Accuracy == "" {
		t.Accuracy = AccuracyKeyframe
	}
	if t.Format == "" {
		t.Format = FormatJPEG
	}
	if t.Fit == "" {
		t.Fit = FitStretch
	}
	if t.Heartbeat == 0 {
		t.Heartbeat = DefaultHeartbeat
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

	Created, Updated time.Time // assigned by state
}

// CallbackTemplate says where events go and with which key they are signed.
// An event whose URL is empty is not sent.
type CallbackTemplate struct {
	ID               int64
	Name             string
	Description      string
	Key              Secret // signs events: sign = md5hex(key + t); "" sends them unsigned
	SnapshotURL      string // event 200
	StreamBeginURL   string // event 1
	StreamEndURL     string // event 0
	PushExceptionURL string // event 321

	Profile Profile // "" means ProfileTencent
	// SigningSecret makes requests carry the headers of Standard Webhooks 1.0.0:
	// "whsec_" and base64 of 24 to 64 bytes; "" for none. PreviousSecret signs
	// beside it, for the time in which receivers change over.
	SigningSecret  Secret
	PreviousSecret Secret
	// Extras makes bodies carry the member stillcast: ids, sequence, times.
	Extras bool
	// RedactParam leaves the push credential (txSecret, txTime) out of stream_param.
	RedactParam bool
	// RateLimit is how many requests per second go to each of the URLs at most;
	// 0 for no limit.
	RateLimit int

	Kept KeptCallbacks
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
	case EventPushException:
		return t.PushExceptionURL
	}
	return ""
}

// Validate reports the first field that is not allowed.
func (t CallbackTemplate) Validate() error {
	if err := validateTemplateName(t.Name); err != nil {
		return err
	}
	given := 0
	for _, u := range t.urls() {
		if u.value == "" {
			continue
		}
		given++
		if err := validateCallbackURL(u.field, u.value); err != nil {
			return err
		}
	}
	if given == 0 {
		return Errorf(CodeInvalid, "snapshot_url",
			"at least one of snapshot_url, stream_begin_url, stream_end_url and push_exception_url must be given")
	}
	return t.validateDelivery()
}

// urls returns all URLs with the names of their fields, the kept ones included.
func (t CallbackTemplate) urls() []struct{ field, value string } {
	return []struct{ field, value string }{
		{"snapshot_url", t.SnapshotURL},
		{"stream_begin_url", t.StreamBeginURL},
		{"stream_end_url", t.StreamEndURL},
		{"push_exception_url", t.PushExceptionURL},
		{"record_url", t.Kept.RecordURL},
		{"record_status_url", t.Kept.RecordStatusURL},
		{"censorship_url", t.Kept.CensorshipURL},
		{"stream_mix_url", t.Kept.StreamMixURL},
		{"audio_audit_url", t.Kept.AudioAuditURL},
		{"record_exception_url", t.Kept.RecordExceptionURL},
	}
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

// KeptCallbacks are settings that clients of Tencent Cloud set and read back;
// Stillcast sends no such events.
type KeptCallbacks struct {
	RecordURL             string
	RecordStatusURL       string
	CensorshipURL         string
	StreamMixURL          string
	AudioAuditURL         string
	RecordExceptionURL    string
	RecordExceptionLevels string // joined by commas
}

// CallbackRule binds a callback template to the streams of a domain and app.
// Empty App is the wildcard.
type CallbackRule struct {
	Domain     string
	App        string
	TemplateID int64

	Created, Updated time.Time // assigned by state
}
