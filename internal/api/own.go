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
	}
	for i := range params {
		params[i].Own = true
	}
	return params
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
			return faultf(codeInvalidValue, "StillcastRenditions holds %q; allowed are sizes such as 640x360, and 640x0 where the height follows", clip(text))
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
