package sqlite

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/stillcast/stillcast"
)

// renditionsColumn gives a shot's renditions as JSON, so that a shot stays one
// row in every query. Which order an aggregate sees its rows in is not
// promised, hence the id.
const renditionsColumn = `(SELECT json_group_array(json_array(rendition.id, rendition.key, rendition.width, rendition.height, rendition.size))
	FROM rendition INDEXED BY rendition_shot WHERE rendition.shot = shot.id)`

// storedRendition is one element of renditionsColumn.
type storedRendition struct {
	id int64
	stillcast.Rendition
}

// UnmarshalJSON implements [json.Unmarshaler].
func (r *storedRendition) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&r.id, &r.Key, &r.Width, &r.Height, &r.Size})
}

// parseRenditions reads renditionsColumn; nil for none.
func parseRenditions(text string) ([]stillcast.Rendition, error) {
	var stored []storedRendition
	if err := json.Unmarshal([]byte(text), &stored); err != nil {
		return nil, fmt.Errorf("read renditions of a shot: %w", err)
	}
	slices.SortFunc(stored, func(a, b storedRendition) int { return cmp.Compare(a.id, b.id) })
	var renditions []stillcast.Rendition
	for _, r := range stored {
		renditions = append(renditions, r.Rendition)
	}
	return renditions, nil
}

// addRenditions adds the rows and the pictures, and sets what the renditions
// got.
func (t *tx) addRenditions(shot *stillcast.Shot, pictures [][]byte) error {
	for i := range shot.Renditions {
		r := &shot.Renditions[i]
		wanted := r.Key
		var id int64
		key, err := t.freeKey(append(keyVariants(wanted, *shot), stillcast.KeyVariant(wanted, fmt.Sprintf("%s-%d", shot.EventID, i+1))),
			func(key string) (bool, error) {
				r.Key = key
				return t.insertRendition(shot, *r, &id)
			})
		if err != nil {
			return err
		}
		if key == "" {
			return stillcast.Errorf(stillcast.CodeConflict, fmt.Sprintf("shot.renditions[%d].key", i),
				"%q and its variants are taken in bucket %q", wanted, shot.Bucket)
		}
		if _, err := t.exec("INSERT INTO spool_rendition (rendition, picture) VALUES (?, ?)", id, pictures[i]); err != nil {
			return err
		}
		if err := t.countSpool(1, int64(r.Size)); err != nil {
			return err
		}
	}
	return nil
}

// insertRendition reports whether the key was free.
func (t *tx) insertRendition(shot *stillcast.Shot, r stillcast.Rendition, id *int64) (bool, error) {
	return t.one(`INSERT INTO rendition (shot, bucket, key, width, height, size) SELECT ?1, ?2, ?3, ?4, ?5, ?6
		WHERE NOT EXISTS (SELECT 1 FROM shot WHERE bucket = ?2 AND key = ?3)
		ON CONFLICT (bucket, key) DO NOTHING RETURNING id`,
		[]any{shot.ID, shot.Bucket, r.Key, r.Width, r.Height, r.Size}, id)
}

// dropRenditions takes the renditions of a shot out of the spool and returns
// how many there were, and their size.
func (t *tx) dropRenditions(shotID int64) (pictures, bytes int64, err error) {
	if _, err := t.one("SELECT count(*), coalesce(sum(size), 0) FROM rendition WHERE shot = ?", []any{shotID}, &pictures, &bytes); err != nil {
		return 0, 0, err
	}
	if pictures == 0 {
		return 0, 0, nil
	}
	_, err = t.exec("DELETE FROM spool_rendition WHERE rendition IN (SELECT id FROM rendition WHERE shot = ?)", shotID)
	return pictures, bytes, err
}
