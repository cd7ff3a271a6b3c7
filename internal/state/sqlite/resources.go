package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/stillcast/stillcast"
)

// Resources returns everything that an operator set up, each list in the order
// of creation.
func (s *Store) Resources(ctx context.Context) (stillcast.ResourceSet, error) {
	// One transaction, so that no rule names a template that is not in the set.
	tx, err := s.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return stillcast.ResourceSet{}, within("read resources", err)
	}
	defer tx.Rollback()
	set, err := readResources(func(query string, row func(scan) error) error {
		rows, err := tx.QueryContext(ctx, query)
		if err != nil {
			return err
		}
		return eachRow(rows, row)
	})
	return set, within("read resources", err)
}

// readResources reads all resources through query, which runs a statement and
// calls row for each row.
func readResources(query func(text string, row func(scan) error) error) (stillcast.ResourceSet, error) {
	var set stillcast.ResourceSet
	for _, read := range []struct {
		query string
		row   func(scan) error
	}{
		{
			"SELECT id, name, auth_disabled, auth_key, backup_key, delta_ns FROM domain ORDER BY id",
			func(scan scan) error { return appendRow(&set.Domains, scan, scanDomain) },
		},
		{
			`SELECT id, name, description, interval_ns, width, height, bucket, app_id, region, prefix, file_name, quality, pictures
			FROM snapshot_template ORDER BY id`,
			func(scan scan) error { return appendRow(&set.SnapshotTemplates, scan, scanSnapshotTemplate) },
		},
		{
			"SELECT domain, app, stream, template FROM snapshot_rule ORDER BY id",
			func(scan scan) error { return appendRow(&set.SnapshotRules, scan, scanSnapshotRule) },
		},
		{
			`SELECT id, name, description, sign_key, snapshot_url, stream_begin_url, stream_end_url
			FROM callback_template ORDER BY id`,
			func(scan scan) error { return appendRow(&set.CallbackTemplates, scan, scanCallbackTemplate) },
		},
		{
			"SELECT domain, app, template FROM callback_rule ORDER BY id",
			func(scan scan) error { return appendRow(&set.CallbackRules, scan, scanCallbackRule) },
		},
	} {
		if err := query(read.query, read.row); err != nil {
			return stillcast.ResourceSet{}, err
		}
	}
	return set, nil
}

func appendRow[T any](list *[]T, scan scan, scanRow func(scan) (T, error)) error {
	row, err := scanRow(scan)
	*list = append(*list, row)
	return err
}

func scanDomain(scan scan) (d stillcast.Domain, err error) {
	var key, backup string
	var delta int64
	err = scan(&d.ID, &d.Name, &d.Auth.Disabled, &key, &backup, &delta)
	d.Auth.Key, d.Auth.BackupKey = stillcast.Secret(key), stillcast.Secret(backup)
	d.Auth.Delta = time.Duration(delta)
	return d, err
}

func scanSnapshotTemplate(scan scan) (t stillcast.SnapshotTemplate, err error) {
	var pictures string
	err = scan(&t.ID, &t.Name, &t.Description, &t.Interval, &t.Width, &t.Height,
		&t.Bucket, &t.AppID, &t.Region, &t.Prefix, &t.FileName, &t.Quality, &pictures)
	if err != nil {
		return t, err
	}
	return t, unmarshalPictures(&t, pictures)
}

func scanSnapshotRule(scan scan) (r stillcast.SnapshotRule, err error) {
	err = scan(&r.Domain, &r.App, &r.Stream, &r.TemplateID)
	return r, err
}

func scanCallbackTemplate(scan scan) (t stillcast.CallbackTemplate, err error) {
	var key string
	err = scan(&t.ID, &t.Name, &t.Description, &key, &t.SnapshotURL, &t.StreamBeginURL, &t.StreamEndURL)
	t.Key = stillcast.Secret(key)
	return t, err
}

func scanCallbackRule(scan scan) (r stillcast.CallbackRule, err error) {
	err = scan(&r.Domain, &r.App, &r.TemplateID)
	return r, err
}
