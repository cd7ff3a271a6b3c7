package console

import (
	"encoding/base64"
	"net/url"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/api"
)

func templateKindOf(k kind, noun string) kind {
	k.actions = []string{"CreateLive" + noun, "ModifyLive" + noun}
	k.make = func(want values) []api.Call {
		return []api.Call{{Action: "CreateLive" + noun, Params: params(k.fields, nil, want, true)}}
	}
	k.change = func(key url.Values, was, want values) []api.Call {
		given := params(k.fields, was, want, false)
		given["TemplateId"] = templateID(key)
		return []api.Call{{Action: "ModifyLive" + noun, Params: given}}
	}
	k.remove = func(key url.Values) api.Call {
		return api.Call{Action: "DeleteLive" + noun, Params: map[string]any{"TemplateId": templateID(key)}}
	}
	return k
}

func snapshotTemplateKind() kind {
	return templateKindOf(kind{
		name: "snapshot-template", page: "snapshot",
		fields: []field{
			{Name: "TemplateName", Control: controlText, group: "what", text: true},
			{Name: "Description", Control: controlText, group: "what", text: true},
			{Name: "SnapshotInterval", Control: controlNumber, group: "when", omit: true},
			{Name: "StillcastAccuracy", Control: controlChoice, group: "when", choices: []choice{{}, {Value: string(stillcast.AccuracyKeyframe)}, {Value: string(stillcast.AccuracyExact)}}},
			{Name: "StillcastSkipBlack", Control: controlCheck, group: "when"},
			{Name: "StillcastSkipUnchanged", Control: controlCheck, group: "when"},
			{Name: "StillcastHeartbeat", Control: controlNumber, group: "when"},
			{Name: "Width", Control: controlNumber, group: "picture"},
			{Name: "Height", Control: controlNumber, group: "picture"},
			{Name: "StillcastFit", Control: controlChoice, group: "picture", choices: []choice{
				{}, {Value: string(stillcast.FitStretch)}, {Value: string(stillcast.FitContain)}, {Value: string(stillcast.FitCover)},
			}},
			{Name: "StillcastFormat", Control: controlChoice, group: "picture", choices: []choice{{}, {Value: string(stillcast.FormatJPEG)}, {Value: string(stillcast.FormatWebP)}}},
			{Name: "StillcastQuality", Control: controlNumber, group: "picture"},
			{Name: "StillcastProgressive", Control: controlCheck, group: "picture"},
			{Name: "StillcastExif", Control: controlCheck, group: "picture"},
			{Name: "StillcastRenditions", Control: controlList, group: "picture"},
			{Name: "StillcastFacts", Control: controlCheck, group: "picture"},
			{Name: "CosBucket", Control: controlText, group: "where", always: true},
			{Name: "CosAppId", Control: controlNumber, group: "where", always: true},
			{Name: "CosRegion", Control: controlText, group: "where", always: true},
			{Name: "CosPrefix", Control: controlText, group: "where"},
			{Name: "CosFileName", Control: controlText, group: "where"},
			{Name: "StillcastMirror", Control: controlText, group: "where"},
			{Name: "PornFlag", Control: controlCheck, fold: true, text: true},
		},
		find: func(r *stillcast.Resources, key url.Values) (resource, bool) {
			t, ok := r.SnapshotTemplateByID(templateID(key))
			return resource{name: t.Name, values: snapshotValues(t), version: versionOf(t)}, ok
		},
	}, "SnapshotTemplate")
}

func snapshotValues(t stillcast.SnapshotTemplate) values {
	var sizes []string
	for _, s := range t.Renditions.Sizes() {
		sizes = append(sizes, s.String())
	}
	return values{
		"TemplateName": t.Name, "Description": t.Description, "SnapshotInterval": inSeconds(t.Interval),
		"StillcastAccuracy": string(t.Accuracy), "Width": number(int64(t.Width)), "Height": number(int64(t.Height)),
		"StillcastFit": string(t.Fit), "StillcastFormat": string(t.Format), "StillcastQuality": number(int64(t.Quality)),
		"StillcastProgressive": flag(t.Progressive), "StillcastExif": flag(t.EXIF), "StillcastRenditions": join(sizes),
		"CosBucket": t.Bucket, "CosAppId": number(t.AppID), "CosRegion": t.Region, "CosPrefix": t.Prefix, "CosFileName": t.FileName,
		"StillcastMirror": t.Mirror, "StillcastSkipBlack": flag(t.SkipBlack), "StillcastSkipUnchanged": flag(t.SkipUnchanged),
		"StillcastHeartbeat": inSeconds(t.Heartbeat), "StillcastFacts": flag(t.Facts), "PornFlag": flag(t.PornFlag),
	}
}

func callbackTemplateKind() kind {
	kept := func(name string) field { return field{Name: name, Control: controlText, fold: true, text: true} }
	mix := kept("StreamMixNotifyUrl")
	mix.fixed = true // the API's Modify does not take it
	return templateKindOf(kind{
		name: "callback-template", page: "callback",
		fields: []field{
			{Name: "TemplateName", Control: controlText, group: "what", text: true},
			{Name: "Description", Control: controlText, group: "what", text: true},
			{Name: "SnapshotNotifyUrl", Control: controlText, group: "to"},
			{Name: "StreamBeginNotifyUrl", Control: controlText, group: "to"},
			{Name: "StreamEndNotifyUrl", Control: controlText, group: "to"},
			{Name: "PushExceptionNotifyUrl", Control: controlText, group: "to"},
			{Name: "CallbackKey", Control: controlSecret, group: "signed", secret: newKey},
			{Name: "StillcastSigningSecret", Control: controlSecret, group: "signed", secret: newSigningSecret},
			{Name: "StillcastPreviousSecret", Control: controlSecret, group: "signed"},
			{Name: "StillcastProfile", Control: controlChoice, group: "how", choices: []choice{{}, {Value: string(stillcast.ProfileTencent)}, {Value: string(stillcast.ProfileStandard)}}},
			{Name: "StillcastRateLimit", Control: controlNumber, group: "how"},
			{Name: "StillcastExtras", Control: controlCheck, group: "how"},
			{Name: "StillcastRedactParam", Control: controlCheck, group: "how"},
			kept("RecordNotifyUrl"), kept("RecordStatusNotifyUrl"), kept("PornCensorshipNotifyUrl"), kept("AudioAuditNotifyUrl"),
			kept("RecordExceptionNotifyUrl"),
			{Name: "RecordExceptionLevels", Control: controlList, fold: true, text: true},
			mix,
		},
		find: func(r *stillcast.Resources, key url.Values) (resource, bool) {
			t, ok := r.CallbackTemplateByID(templateID(key))
			return resource{name: t.Name, values: callbackValues(t), version: versionOf(t, t.Key, t.SigningSecret, t.PreviousSecret)}, ok
		},
	}, "CallbackTemplate")
}

func callbackValues(t stillcast.CallbackTemplate) values {
	return values{
		"TemplateName": t.Name, "Description": t.Description,
		"SnapshotNotifyUrl": t.SnapshotURL, "StreamBeginNotifyUrl": t.StreamBeginURL, "StreamEndNotifyUrl": t.StreamEndURL,
		"PushExceptionNotifyUrl": t.PushExceptionURL, "CallbackKey": t.Key.Reveal(), "StillcastProfile": string(t.Profile),
		"StillcastSigningSecret": t.SigningSecret.Reveal(), "StillcastPreviousSecret": t.PreviousSecret.Reveal(),
		"StillcastRateLimit": number(int64(t.RateLimit)),
		"StillcastExtras":    flag(t.Extras), "StillcastRedactParam": flag(t.RedactParam),
		"RecordNotifyUrl": t.Kept.RecordURL, "RecordStatusNotifyUrl": t.Kept.RecordStatusURL, "PornCensorshipNotifyUrl": t.Kept.CensorshipURL,
		"AudioAuditNotifyUrl": t.Kept.AudioAuditURL, "RecordExceptionNotifyUrl": t.Kept.RecordExceptionURL,
		"RecordExceptionLevels": join(listOf(t.Kept.RecordExceptionLevels)), "StreamMixNotifyUrl": t.Kept.StreamMixURL,
	}
}

// newSigningSecret makes a secret of Standard Webhooks with 256 random bits.
func newSigningSecret() string {
	const size = 32
	return "whsec_" + base64.StdEncoding.EncodeToString(random(size))
}
