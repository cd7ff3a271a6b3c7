package resource

import (
	"fmt"
	"time"

	"github.com/stillcast/stillcast"
)

// field is a setting of a resource as it is in a file and in the API.
type field struct {
	name   string // in a file
	param  string // of the API
	value  any    // for the API: a text, an integer or a list of texts
	shown  string // in reports; "": the value
	secret bool   // the value is never shown
}

func (f field) String() string {
	switch {
	case f.shown != "":
		return f.shown
	case f.value == "":
		return `""`
	}
	return fmt.Sprint(f.value)
}

// isZero reports whether the value is what the API takes where nothing is given.
func (f field) isZero() bool {
	list, isList := f.value.([]string)
	return f.value == "" || f.value == int64(0) || isList && len(list) == 0
}

func textField(name, param, value string) field {
	return field{name: name, param: param, value: value}
}

func secretField(name, param string, value stillcast.Secret) field {
	return field{name: name, param: param, value: value.Reveal(), secret: true}
}

func numberField[T int | int64](name, param string, value T) field {
	return field{name: name, param: param, value: int64(value)}
}

func flagField(name, param string, value bool) field {
	f := field{name: name, param: param, value: int64(0), shown: fmt.Sprint(value)}
	if value {
		f.value = int64(1)
	}
	return f
}

func durationField(name, param string, value time.Duration) field {
	return field{name: name, param: param, value: int64(value / time.Second), shown: value.String()}
}

func snapshotFields(t stillcast.SnapshotTemplate) []field {
	sizes := []string{}
	for _, size := range t.Renditions.Sizes() {
		sizes = append(sizes, size.String())
	}
	return []field{
		textField("description", "Description", t.Description),
		durationField("interval", "SnapshotInterval", t.Interval),
		numberField("width", "Width", t.Width),
		numberField("height", "Height", t.Height),
		textField("bucket", "CosBucket", t.Bucket),
		numberField("app_id", "CosAppId", t.AppID),
		textField("region", "CosRegion", t.Region),
		textField("prefix", "CosPrefix", t.Prefix),
		textField("file_name", "CosFileName", t.FileName),
		numberField("quality", "StillcastQuality", t.Quality),
		textField("accuracy", "StillcastAccuracy", string(t.Accuracy)),
		textField("format", "StillcastFormat", string(t.Format)),
		textField("fit", "StillcastFit", string(t.Fit)),
		flagField("progressive", "StillcastProgressive", t.Progressive),
		flagField("exif", "StillcastExif", t.EXIF),
		{name: "renditions", param: "StillcastRenditions", value: sizes},
		flagField("skip_black", "StillcastSkipBlack", t.SkipBlack),
		flagField("skip_unchanged", "StillcastSkipUnchanged", t.SkipUnchanged),
		durationField("heartbeat", "StillcastHeartbeat", t.Heartbeat),
		flagField("facts", "StillcastFacts", t.Facts),
		textField("mirror", "StillcastMirror", t.Mirror),
	}
}

func callbackFields(t stillcast.CallbackTemplate) []field {
	return []field{
		textField("description", "Description", t.Description),
		secretField("key", "CallbackKey", t.Key),
		textField("snapshot_url", "SnapshotNotifyUrl", t.SnapshotURL),
		textField("stream_begin_url", "StreamBeginNotifyUrl", t.StreamBeginURL),
		textField("stream_end_url", "StreamEndNotifyUrl", t.StreamEndURL),
		textField("push_exception_url", "PushExceptionNotifyUrl", t.PushExceptionURL),
		textField("profile", "StillcastProfile", string(t.Profile)),
		secretField("signing_secret", "StillcastSigningSecret", t.SigningSecret),
		secretField("previous_secret", "StillcastPreviousSecret", t.PreviousSecret),
		flagField("extras", "StillcastExtras", t.Extras),
		flagField("redact_param", "StillcastRedactParam", t.RedactParam),
		numberField("rate_limit", "StillcastRateLimit", t.RateLimit),
	}
}

func authFields(a stillcast.PushAuth) []field {
	return []field{
		flagField("auth.enabled", "Enable", !a.Disabled),
		secretField("auth.key", "MasterAuthKey", a.Key),
		secretField("auth.backup_key", "BackupAuthKey", a.BackupKey),
		durationField("auth.delta", "AuthDelta", a.Delta),
	}
}

// differences says in words which settings differ.
func differences(before, after []field) []string {
	var all []string
	for i, was := range before {
		is := after[i]
		if fmt.Sprint(was.value) == fmt.Sprint(is.value) {
			continue
		}
		if is.secret {
			all = append(all, is.name+" changed")
			continue
		}
		all = append(all, fmt.Sprintf("%s %s → %s", is.name, was, is))
	}
	return all
}

// params are the fields as the parameters of a call; with given, those that are set.
func params(fields []field, given bool) map[string]any {
	all := map[string]any{}
	for _, f := range fields {
		if !given || !f.isZero() {
			all[f.param] = f.value
		}
	}
	return all
}
