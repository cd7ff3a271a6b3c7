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
			"SELECT " + domainColumns + " FROM domain ORDER BY id",
			func(scan scan) error { return appendRow(&set.Domains, scan, scanDomain) },
		},
		{
			"SELECT " + snapshotTemplateColumns + " FROM snapshot_template ORDER BY id",
			func(scan scan) error { return appendRow(&set.SnapshotTemplates, scan, scanSnapshotTemplate) },
		},
		{
			"SELECT " + snapshotRuleColumns + " FROM snapshot_rule ORDER BY id",
			func(scan scan) error { return appendRow(&set.SnapshotRules, scan, scanSnapshotRule) },
		},
		{
			"SELECT " + callbackTemplateColumns + " FROM callback_template ORDER BY id",
			func(scan scan) error { return appendRow(&set.CallbackTemplates, scan, scanCallbackTemplate) },
		},
		{
			"SELECT " + callbackRuleColumns + " FROM callback_rule ORDER BY id",
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

// The columns that the functions below scan.
const (
	domainColumns = `id, name, auth_disabled, auth_key, backup_key, delta_ns, disabled, created_at,
		play_type, delay_live, mini_program`
	snapshotTemplateColumns = `id, name, description, interval_ns, width, height, bucket, app_id, region, prefix, file_name,
		quality, pictures, porn_flag`
	snapshotRuleColumns     = "domain, app, stream, template, created_at, updated_at"
	callbackTemplateColumns = "id, name, description, sign_key, snapshot_url, stream_begin_url, stream_end_url, kept"
	callbackRuleColumns     = "domain, app, template, created_at, updated_at"
)

func scanDomain(scan scan) (d stillcast.Domain, err error) {
	var key, backup string
	var delta, created int64
	err = scan(&d.ID, &d.Name, &d.Auth.Disabled, &key, &backup, &delta, &d.Disabled, &created,
		&d.PlayType, &d.DelayLive, &d.MiniProgram)
	d.Auth.Key, d.Auth.BackupKey = stillcast.Secret(key), stillcast.Secret(backup)
	d.Auth.Delta = time.Duration(delta)
	d.Created = fromMicros(created)
	return d, err
}

func scanSnapshotTemplate(scan scan) (t stillcast.SnapshotTemplate, err error) {
	var pictures string
	err = scan(&t.ID, &t.Name, &t.Description, &t.Interval, &t.Width, &t.Height,
		&t.Bucket, &t.AppID, &t.Region, &t.Prefix, &t.FileName, &t.Quality, &pictures, &t.PornFlag)
	if err != nil {
		return t, err
	}
	return t, unmarshalPictures(&t, pictures)
}

func scanSnapshotRule(scan scan) (r stillcast.SnapshotRule, err error) {
	var created, updated int64
	err = scan(&r.Domain, &r.App, &r.Stream, &r.TemplateID, &created, &updated)
	r.Created, r.Updated = fromMicros(created), fromMicros(updated)
	return r, err
}

func scanCallbackTemplate(scan scan) (t stillcast.CallbackTemplate, err error) {
	var key, kept string
	err = scan(&t.ID, &t.Name, &t.Description, &key, &t.SnapshotURL, &t.StreamBeginURL, &t.StreamEndURL, &kept)
	if err != nil {
		return t, err
	}
	t.Key = stillcast.Secret(key)
	return t, unmarshalSettings(&t, kept)
}

func scanCallbackRule(scan scan) (r stillcast.CallbackRule, err error) {
	var created, updated int64
	err = scan(&r.Domain, &r.App, &r.TemplateID, &created, &updated)
	r.Created, r.Updated = fromMicros(created), fromMicros(updated)
	return r, err
}
