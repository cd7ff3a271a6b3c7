package sqlite

import (
	"context"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// ApplyDeclaration creates and updates what d declares, in one transaction, and
// returns what it changed: domains and templates are told apart by their names,
// rules by domain, app and stream. What is not in d, and what is as d says
// already, is left alone; ids in d are ignored.
//
// A value that is not allowed is a [stillcast.Error] of CodeInvalid whose field
// is a path in the configuration file, and nothing is changed then. So are a
// rule for a domain and a rule with a template that are neither in d nor in the
// state, two of the same name, and two rules for the same.
func (s *Store) ApplyDeclaration(ctx context.Context, d stillcast.Declaration) ([]state.Change, error) {
	if err := validateDeclaration(d); err != nil {
		return nil, err
	}
	var changes []state.Change
	err := s.change(ctx, "apply declaration", func(t *tx) error {
		stored, err := readResources(func(query string, row func(scan) error) error {
			return t.query(query, nil, row)
		})
		if err != nil {
			return err
		}
		a := &applier{tx: t, stored: stored}
		err = a.apply(d)
		changes = a.changes
		return err
	})
	if err != nil {
		return nil, err
	}
	return changes, nil
}

// applier applies one declaration.
type applier struct {
	tx      *tx
	stored  stillcast.ResourceSet
	changes []state.Change
}

func (a *applier) apply(d stillcast.Declaration) error {
	return firstOf(
		func() error { return a.domains(d.Domains) },
		func() error { return a.snapshotTemplates(d.SnapshotTemplates) },
		func() error { return a.snapshotRules(d.SnapshotRules) },
		func() error { return a.callbackTemplates(d.CallbackTemplates) },
		func() error { return a.callbackRules(d.CallbackRules) },
	)
}

// resource is one declared resource as a row.
type resource struct {
	kind, name string
	upsert     string // statement that creates or updates it by name
	args       []any
}

// put makes the row as declared, unless the stored one is that already.
func (a *applier) put(r resource, exists, same bool) error {
	if same {
		return nil
	}
	if _, err := a.tx.exec(r.upsert, r.args...); err != nil {
		return err
	}
	a.changes = append(a.changes, state.Change{Kind: r.kind, Name: r.name, Created: !exists})
	return nil
}

func (a *applier) domains(declared []stillcast.Domain) error {
	stored := indexBy(a.stored.Domains, func(v stillcast.Domain) string { return v.Name })
	for _, d := range declared {
		old, exists := stored[d.Name]
		d.ID = old.ID
		err := a.put(resource{
			kind: "domain", name: d.Name,
			upsert: `INSERT INTO domain (name, auth_disabled, auth_key, backup_key, delta_ns) VALUES (?, ?, ?, ?, ?)
				ON CONFLICT (name) DO UPDATE SET auth_disabled = excluded.auth_disabled, auth_key = excluded.auth_key,
				backup_key = excluded.backup_key, delta_ns = excluded.delta_ns`,
			args: []any{d.Name, d.Auth.Disabled, d.Auth.Key.Reveal(), d.Auth.BackupKey.Reveal(), int64(d.Auth.Delta)},
		}, exists, d == old)
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *applier) snapshotTemplates(declared []stillcast.SnapshotTemplate) error {
	stored := indexBy(a.stored.SnapshotTemplates, func(v stillcast.SnapshotTemplate) string { return v.Name })
	for _, d := range declared {
		old, exists := stored[d.Name]
		d.ID = old.ID
		pictures, err := marshalPictures(d)
		if err != nil {
			return err
		}
		err = a.put(resource{
			kind: "snapshot_template", name: d.Name,
			upsert: `INSERT INTO snapshot_template (name, description, interval_ns, width, height, bucket, app_id, region,
				prefix, file_name, quality, pictures) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT (name) DO UPDATE SET description = excluded.description, interval_ns = excluded.interval_ns,
				width = excluded.width, height = excluded.height, bucket = excluded.bucket, app_id = excluded.app_id,
				region = excluded.region, prefix = excluded.prefix, file_name = excluded.file_name, quality = excluded.quality,
				pictures = excluded.pictures`,
			args: []any{
				d.Name, d.Description, int64(d.Interval), d.Width, d.Height, d.Bucket, d.AppID, d.Region,
				d.Prefix, d.FileName, d.Quality, pictures,
			},
		}, exists, d == old)
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *applier) callbackTemplates(declared []stillcast.CallbackTemplate) error {
	stored := indexBy(a.stored.CallbackTemplates, func(v stillcast.CallbackTemplate) string { return v.Name })
	for _, d := range declared {
		old, exists := stored[d.Name]
		d.ID = old.ID
		err := a.put(resource{
			kind: "callback_template", name: d.Name,
			upsert: `INSERT INTO callback_template (name, description, sign_key, snapshot_url, stream_begin_url, stream_end_url)
				VALUES (?, ?, ?, ?, ?, ?)
				ON CONFLICT (name) DO UPDATE SET description = excluded.description, sign_key = excluded.sign_key,
				snapshot_url = excluded.snapshot_url, stream_begin_url = excluded.stream_begin_url,
				stream_end_url = excluded.stream_end_url`,
			args: []any{d.Name, d.Description, d.Key.Reveal(), d.SnapshotURL, d.StreamBeginURL, d.StreamEndURL},
		}, exists, d == old)
		if err != nil {
			return err
		}
	}
	return nil
}

func indexBy[K comparable, T any](list []T, key func(T) K) map[K]T {
	index := make(map[K]T, len(list))
	for _, v := range list {
		index[key(v)] = v
	}
	return index
}
