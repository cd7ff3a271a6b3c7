package sqlite

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
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
		kind: state.CallbackKind, table: "callback_template", columns: callbackTemplateColumns, rules: "callback_rule",
		scan:     scanCallbackTemplate,
		validate: stillcast.CallbackTemplate.Validate,
		id:       func(v *stillcast.CallbackTemplate) *int64 { return &v.ID },
		name:     func(v stillcast.CallbackTemplate) string { return v.Name },
		save:     (*tx).saveCallbackTemplate,
	}
}

func (t *tx) saveCallbackTemplate(v stillcast.CallbackTemplate) (int64, error) {
	kept, err := json.Marshal(settingsOf(v))
	if err != nil {
		return 0, fmt.Errorf("write the settings of a callback template: %w", err)
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

// callbackSettings is callback_template.kept: what is only ever read as a whole.
// A field that is added needs no migration.
type callbackSettings struct {
	PushExceptionURL string            `json:"push_exception_url,omitempty"`
	Profile          stillcast.Profile `json:"profile,omitempty"`
	SigningSecret    string            `json:"signing_secret,omitempty"`
	PreviousSecret   string            `json:"previous_secret,omitempty"`
	Extras           bool              `json:"extras,omitempty"`
	RedactParam      bool              `json:"redact_param,omitempty"`
	RateLimit        int               `json:"rate_limit,omitempty"`

	// What has no effect.
	RecordURL             string `json:"record_url,omitempty"`
	RecordStatusURL       string `json:"record_status_url,omitempty"`
	CensorshipURL         string `json:"censorship_url,omitempty"`
	StreamMixURL          string `json:"stream_mix_url,omitempty"`
	AudioAuditURL         string `json:"audio_audit_url,omitempty"`
	RecordExceptionURL    string `json:"record_exception_url,omitempty"`
	RecordExceptionLevels string `json:"record_exception_levels,omitempty"`
}

func settingsOf(t stillcast.CallbackTemplate) callbackSettings {
	return callbackSettings{
		PushExceptionURL: t.PushExceptionURL, Profile: t.Profile,
		SigningSecret: t.SigningSecret.Reveal(), PreviousSecret: t.PreviousSecret.Reveal(),
		Extras: t.Extras, RedactParam: t.RedactParam, RateLimit: t.RateLimit,
		RecordURL: t.Kept.RecordURL, RecordStatusURL: t.Kept.RecordStatusURL, CensorshipURL: t.Kept.CensorshipURL,
		StreamMixURL: t.Kept.StreamMixURL, AudioAuditURL: t.Kept.AudioAuditURL,
		RecordExceptionURL: t.Kept.RecordExceptionURL, RecordExceptionLevels: t.Kept.RecordExceptionLevels,
	}
}

func unmarshalSettings(t *stillcast.CallbackTemplate, text string) error {
	var s callbackSettings
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return fmt.Errorf("read the settings of a callback template: %w", err)
	}
	t.PushExceptionURL, t.Profile = s.PushExceptionURL, s.Profile
	t.SigningSecret, t.PreviousSecret = stillcast.Secret(s.SigningSecret), stillcast.Secret(s.PreviousSecret)
	t.Extras, t.RedactParam, t.RateLimit = s.Extras, s.RedactParam, s.RateLimit
	t.Kept = stillcast.KeptCallbacks{
		RecordURL: s.RecordURL, RecordStatusURL: s.RecordStatusURL, CensorshipURL: s.CensorshipURL,
		StreamMixURL: s.StreamMixURL, AudioAuditURL: s.AudioAuditURL,
		RecordExceptionURL: s.RecordExceptionURL, RecordExceptionLevels: s.RecordExceptionLevels,
	}
	return nil
}
