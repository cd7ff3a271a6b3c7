package api

import (
	"strconv"
	"strings"
	"time"

	"github.com/stillcast/stillcast"
)

// Own are the fields of a snapshot template that Tencent Cloud does not have.
// They are in a reply only where they were set, so that clients written for the
// cloud see no difference.
type Own struct {
	StillcastQuality       int      `json:",omitempty"`
	StillcastAccuracy      string   `json:",omitempty"`
	StillcastFormat        string   `json:",omitempty"`
	StillcastFit           string   `json:",omitempty"`
	StillcastProgressive   int      `json:",omitempty"`
	StillcastExif          int      `json:",omitempty"`
	StillcastRenditions    []string `json:",omitempty"` // "WIDTHxHEIGHT"
	StillcastSkipBlack     int      `json:",omitempty"`
	StillcastSkipUnchanged int      `json:",omitempty"`
	StillcastHeartbeat     int64    `json:",omitempty"` // seconds
	StillcastFacts         int      `json:",omitempty"`
	StillcastMirror        string   `json:",omitempty"`
}

func ownSnapshotParams() []Param {
	params := []Param{
		{Name: "StillcastQuality", Kind: Integer, Max: 100, Note: "of the picture; 0 is " + strconv.Itoa(stillcast.DefaultQuality), Fields: []string{"quality"}},
		{Name: "StillcastAccuracy", Allowed: words(stillcast.AccuracyKeyframe, stillcast.AccuracyExact), Fields: []string{"accuracy"}},
		{Name: "StillcastFormat", Allowed: words(stillcast.FormatJPEG, stillcast.FormatWebP), Fields: []string{"format"}},
		{Name: "StillcastFit", Allowed: words(stillcast.FitStretch, stillcast.FitContain, stillcast.FitCover), Fields: []string{"fit"}},
		{Name: "StillcastProgressive", Kind: Integer, Max: 1, Fields: []string{"progressive"}},
		{Name: "StillcastExif", Kind: Integer, Max: 1, Fields: []string{"exif"}},
		{Name: "StillcastRenditions", Kind: Texts, MaxItems: stillcast.MaxRenditions, MaxBytes: 16, Note: "further sizes, each as WIDTHxHEIGHT", Fields: []string{"renditions"}},
		{Name: "StillcastSkipBlack", Kind: Integer, Max: 1, Fields: []string{"skip_black"}},
		{Name: "StillcastSkipUnchanged", Kind: Integer, Max: 1, Fields: []string{"skip_unchanged"}},
		{Name: "StillcastHeartbeat", Kind: Integer, Max: seconds(stillcast.MaxHeartbeat), Note: "seconds", Fields: []string{"heartbeat"}},
		{Name: "StillcastFacts", Kind: Integer, Max: 1, Fields: []string{"facts"}},
		{Name: "StillcastMirror", MaxBytes: stillcast.MaxBucket, Note: "name of a second store, of storage.mirrors in the configuration", Fields: []string{"mirror"}},
	}
	for i := range params {
		params[i].Own = true
	}
	return params
}

// OwnCallback are the fields of a callback template that Tencent Cloud does not
// have, as those of [Own].
type OwnCallback struct {
	StillcastProfile        string `json:",omitempty"`
	StillcastSigningSecret  string `json:",omitempty"`
	StillcastPreviousSecret string `json:",omitempty"`
	StillcastExtras         int    `json:",omitempty"`
	StillcastRedactParam    int    `json:",omitempty"`
	StillcastRateLimit      int    `json:",omitempty"` // requests per second
}

func ownCallbackParams() []Param {
	const maxSecret = 128 // bytes: more than the longest has
	params := []Param{
		{
			Name: "StillcastProfile", Allowed: words(stillcast.ProfileTencent, stillcast.ProfileStandard), Fields: []string{"profile"},
			Note: "what counts as received, and when an event is tried again; \"\" is " + string(stillcast.ProfileTencent),
		},
		{Name: "StillcastSigningSecret", MaxBytes: maxSecret, Note: "signs the bodies by Standard Webhooks; whsec_ and base64 of 24 to 64 bytes", Fields: []string{"signing_secret"}},
		{Name: "StillcastPreviousSecret", MaxBytes: maxSecret, Note: "signs beside the other, during a change", Fields: []string{"previous_secret"}},
		{Name: "StillcastExtras", Kind: Integer, Max: 1, Note: "1: events carry ids, sequence and times under stillcast", Fields: []string{"extras"}},
		{Name: "StillcastRedactParam", Kind: Integer, Max: 1, Note: "1: stream_param is sent without txSecret and txTime", Fields: []string{"redact_param"}},
		{Name: "StillcastRateLimit", Kind: Integer, Max: stillcast.MaxRateLimit, Note: "requests per second to each URL; 0 is no limit", Fields: []string{"rate_limit"}},
	}
	for i := range params {
		params[i].Own = true
	}
	return params
}

func ownCallbackOf(t stillcast.CallbackTemplate) OwnCallback {
	return OwnCallback{
		StillcastProfile: string(t.Profile), StillcastSigningSecret: t.SigningSecret.Reveal(), StillcastPreviousSecret: t.PreviousSecret.Reveal(),
		StillcastExtras: number(t.Extras), StillcastRedactParam: number(t.RedactParam), StillcastRateLimit: t.RateLimit,
	}
}

// setOwnCallback changes what was given.
func (c *call) setOwnCallback(t *stillcast.CallbackTemplate) {
	setWord(c, &t.Profile, "StillcastProfile")
	setWord(c, &t.SigningSecret, "StillcastSigningSecret")
	setWord(c, &t.PreviousSecret, "StillcastPreviousSecret")
	c.setFlag(&t.Extras, "StillcastExtras")
	c.setFlag(&t.RedactParam, "StillcastRedactParam")
	c.setInt(&t.RateLimit, "StillcastRateLimit")
}

func words[T ~string](all ...T) []string {
	list := make([]string, len(all))
	for i, word := range all {
		list[i] = string(word)
	}
	return list
}

func ownOf(t stillcast.SnapshotTemplate) Own {
	own := Own{
		StillcastQuality: t.Quality, StillcastAccuracy: string(t.Accuracy), StillcastFormat: string(t.Format), StillcastFit: string(t.Fit),
		StillcastProgressive: number(t.Progressive), StillcastExif: number(t.EXIF),
		StillcastSkipBlack: number(t.SkipBlack), StillcastSkipUnchanged: number(t.SkipUnchanged),
		StillcastHeartbeat: seconds(t.Heartbeat), StillcastFacts: number(t.Facts),
		StillcastMirror: t.Mirror,
	}
	for _, size := range t.Renditions.Sizes() {
		own.StillcastRenditions = append(own.StillcastRenditions, size.String())
	}
	return own
}

// setOwn changes what was given.
func (c *call) setOwn(t *stillcast.SnapshotTemplate) error {
	c.setInt(&t.Quality, "StillcastQuality")
	setWord(c, &t.Accuracy, "StillcastAccuracy")
	setWord(c, &t.Format, "StillcastFormat")
	setWord(c, &t.Fit, "StillcastFit")
	c.setFlag(&t.Progressive, "StillcastProgressive")
	c.setFlag(&t.EXIF, "StillcastExif")
	c.setFlag(&t.SkipBlack, "StillcastSkipBlack")
	c.setFlag(&t.SkipUnchanged, "StillcastSkipUnchanged")
	c.setFlag(&t.Facts, "StillcastFacts")
	setWord(c, &t.Mirror, "StillcastMirror")
	if c.has("StillcastHeartbeat") {
		t.Heartbeat = time.Duration(c.integer("StillcastHeartbeat")) * time.Second
	}
	if !c.has("StillcastRenditions") {
		return nil
	}
	var sizes []stillcast.Size
	for _, text := range c.texts("StillcastRenditions") {
		size, ok := ParseSize(text)
		if !ok {
			return faultf(codeInvalidValue, "StillcastRenditions holds %q; allowed are sizes such as 640x360, and 640x0 where the height follows", clip(text)).
				at("StillcastRenditions")
		}
		sizes = append(sizes, size)
	}
	var err error
	t.Renditions, err = stillcast.NewRenditions(sizes)
	return err
}

// ParseSize reads a size as it stands in StillcastRenditions, such as 640x360.
func ParseSize(text string) (stillcast.Size, bool) {
	w, h, ok := strings.Cut(text, "x")
	width, err := strconv.ParseUint(w, 10, 16)
	if !ok || err != nil {
		return stillcast.Size{}, false
	}
	height, err := strconv.ParseUint(h, 10, 16)
	return stillcast.Size{Width: int(width), Height: int(height)}, err == nil
}

func setWord[T ~string](c *call, field *T, name string) {
	if c.has(name) {
		*field = T(c.text(name))
	}
}

func (c *call) setFlag(field *bool, name string) {
	if c.has(name) {
		*field = c.integer(name) == 1
	}
}
