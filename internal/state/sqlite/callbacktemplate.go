package sqlite

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stillcast/stillcast"
)

// EditCallbackTemplate is to callback templates what EditSnapshotTemplate is to
// snapshot templates.
func (s *Store) EditCallbackTemplate(
	ctx context.Context, id int64, limit int, edit func(*stillcast.CallbackTemplate) error,
) (before, after stillcast.CallbackTemplate, err error) {
	return callbackTemplates().edit(ctx, s, id, limit, edit)
}

// DeleteCallbackTemplate deletes a callback template and returns it. Errors are
// of type [stillcast.Error]: CodeNotFound, and CodeConflict while a rule uses it.
// The deliveries that are owed to it stay; no other template ever gets its id.
func (s *Store) DeleteCallbackTemplate(ctx context.Context, id int64) (stillcast.CallbackTemplate, error) {
	return callbackTemplates().remove(ctx, s, id)
}

func callbackTemplates() templates[stillcast.CallbackTemplate] {
	return templates[stillcast.CallbackTemplate]{
		table: "callback_template", columns: callbackTemplateColumns, rules: "callback_rule",
		scan:     scanCallbackTemplate,
		validate: stillcast.CallbackTemplate.Validate,
		id:       func(v *stillcast.CallbackTemplate) *int64 { return &v.ID },
		name:     func(v stillcast.CallbackTemplate) string { return v.Name },
		save:     (*tx).saveCallbackTemplate,
	}
}

func (t *tx) saveCallbackTemplate(v stillcast.CallbackTemplate) (int64, error) {
	kept, err := json.Marshal(keptCallbacks(v.Kept))
	if err != nil {
		return 0, fmt.Errorf("write what a callback template keeps: %w", err)
	}
	values := []any{v.Name, v.Description, v.Key.Reveal(), v.SnapshotURL, v.StreamBeginURL, v.StreamEndURL, string(kept)}
	if v.ID == 0 {
		_, err := t.one(`INSERT INTO callback_template (name, description, sign_key, snapshot_url, stream_begin_url, stream_end_url, kept)
			VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id`, values, &v.ID)
		return v.ID, err
	}
	_, err = t.exec(`UPDATE callback_template SET name = ?, description = ?, sign_key = ?, snapshot_url = ?, stream_begin_url = ?,
		stream_end_url = ?, kept = ? WHERE id = ?`, append(values, v.ID)...)
	return v.ID, err
}

// keptCallbacks is callback_template.kept. A field that is added needs no
// migration.
type keptCallbacks struct {
	RecordURL             string `json:"record_url,omitempty"`
	RecordStatusURL       string `json:"record_status_url,omitempty"`
	CensorshipURL         string `json:"censorship_url,omitempty"`
	StreamMixURL          string `json:"stream_mix_url,omitempty"`
	PushExceptionURL      string `json:"push_exception_url,omitempty"`
	AudioAuditURL         string `json:"audio_audit_url,omitempty"`
	RecordExceptionURL    string `json:"record_exception_url,omitempty"`
	RecordExceptionLevels string `json:"record_exception_levels,omitempty"`
}

func unmarshalKept(t *stillcast.CallbackTemplate, text string) error {
	var kept keptCallbacks
	if err := json.Unmarshal([]byte(text), &kept); err != nil {
		return fmt.Errorf("read what a callback template keeps: %w", err)
	}
	t.Kept = stillcast.KeptCallbacks(kept)
	return nil
}
