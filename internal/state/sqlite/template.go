package sqlite

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/stillcast/stillcast"
)

// templatePictures is snapshot_template.pictures. A field that is added needs no
// migration.
type templatePictures struct {
	Accuracy      stillcast.Accuracy `json:"accuracy,omitempty"`
	Format        stillcast.Format   `json:"format,omitempty"`
	Fit           stillcast.Fit      `json:"fit,omitempty"`
	Progressive   bool               `json:"progressive,omitempty"`
	EXIF          bool               `json:"exif,omitempty"`
	Renditions    [][2]int           `json:"renditions,omitempty"` // width, height
	SkipBlack     bool               `json:"skip_black,omitempty"`
	SkipUnchanged bool               `json:"skip_unchanged,omitempty"`
	Heartbeat     time.Duration      `json:"heartbeat_ns,omitempty"`
	Facts         bool               `json:"facts,omitempty"`
	Mirror        string             `json:"mirror,omitempty"`
}

func marshalPictures(t stillcast.SnapshotTemplate) (string, error) {
	p := templatePictures{
		Accuracy: t.Accuracy, Format: t.Format, Fit: t.Fit, Progressive: t.Progressive, EXIF: t.EXIF,
		SkipBlack: t.SkipBlack, SkipUnchanged: t.SkipUnchanged, Heartbeat: t.Heartbeat, Facts: t.Facts, Mirror: t.Mirror,
	}
	for _, s := range t.Renditions.Sizes() {
		p.Renditions = append(p.Renditions, [2]int{s.Width, s.Height})
	}
	text, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("write pictures of a snapshot template: %w", err)
	}
	return string(text), nil
}

// unmarshalPictures sets what marshalPictures wrote.
func unmarshalPictures(t *stillcast.SnapshotTemplate, text string) error {
	var p templatePictures
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return fmt.Errorf("read pictures of a snapshot template: %w", err)
	}
	t.Accuracy, t.Format, t.Fit, t.Progressive, t.EXIF = p.Accuracy, p.Format, p.Fit, p.Progressive, p.EXIF
	t.SkipBlack, t.SkipUnchanged, t.Heartbeat, t.Facts, t.Mirror = p.SkipBlack, p.SkipUnchanged, p.Heartbeat, p.Facts, p.Mirror
	sizes := make([]stillcast.Size, len(p.Renditions))
	for i, s := range p.Renditions {
		sizes[i] = stillcast.Size{Width: s[0], Height: s[1]}
	}
	var err error
	t.Renditions, err = stillcast.NewRenditions(sizes)
	return err
}
