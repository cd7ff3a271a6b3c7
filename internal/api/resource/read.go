// Package resource reads and changes what a server is set up with through its
// control API: domains, templates and rules as they are written in a
// configuration file.
package resource

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/api"
	"github.com/stillcast/stillcast/internal/api/client"
)

// Read reads what a server is set up with. Times of rules are left out.
func Read(ctx context.Context, c *client.Client) (stillcast.ResourceSet, error) {
	var set stillcast.ResourceSet
	for _, read := range []func(context.Context, *client.Client, *stillcast.ResourceSet) error{
		readDomains, readSnapshotTemplates, readSnapshotRules, readCallbackTemplates, readCallbackRules,
	} {
		if err := read(ctx, c, &set); err != nil {
			return stillcast.ResourceSet{}, err
		}
	}
	return set, nil
}

func readDomains(ctx context.Context, c *client.Client, set *stillcast.ResourceSet) error {
	const size = 100 // the most that the API gives at once
	for page := 1; ; page++ {
		var reply struct{ DomainList []api.DomainInfo }
		if err := c.Call(ctx, "DescribeLiveDomains", map[string]any{"PageNum": page, "PageSize": size}, &reply); err != nil {
			return err
		}
		for _, info := range reply.DomainList {
			var key struct{ PushAuthKeyInfo api.PushAuthKeyInfo }
			if err := c.Call(ctx, "DescribeLivePushAuthKey", map[string]any{"DomainName": info.Name}, &key); err != nil {
				return err
			}
			set.Domains = append(set.Domains, domainOf(info, key.PushAuthKeyInfo))
		}
		if len(reply.DomainList) < size {
			return nil
		}
	}
}

func domainOf(info api.DomainInfo, key api.PushAuthKeyInfo) stillcast.Domain {
	return stillcast.Domain{
		Name: info.Name, Disabled: info.Status == 0,
		Auth: stillcast.PushAuth{
			Disabled: key.Enable == 0, Key: stillcast.Secret(key.MasterAuthKey), BackupKey: stillcast.Secret(key.BackupAuthKey),
			Delta: time.Duration(key.AuthDelta) * time.Second,
		},
	}
}

func readSnapshotTemplates(ctx context.Context, c *client.Client, set *stillcast.ResourceSet) error {
	var reply struct{ Templates []api.SnapshotTemplateInfo }
	if err := c.Call(ctx, "DescribeLiveSnapshotTemplates", nil, &reply); err != nil {
		return err
	}
	for _, info := range reply.Templates {
		t, err := snapshotTemplateOf(info)
		if err != nil {
			return stillcast.Within("snapshot template "+info.TemplateName, err)
		}
		set.SnapshotTemplates = append(set.SnapshotTemplates, t)
	}
	return nil
}

func snapshotTemplateOf(info api.SnapshotTemplateInfo) (stillcast.SnapshotTemplate, error) {
	t := stillcast.SnapshotTemplate{
		ID: info.TemplateID, Name: info.TemplateName, Description: info.Description,
		Interval: time.Duration(info.SnapshotInterval) * time.Second, Width: info.Width, Height: info.Height,
		Bucket: info.CosBucket, AppID: info.CosAppID, Region: info.CosRegion, Prefix: info.CosPrefix, FileName: info.CosFileName,
		Quality: info.StillcastQuality, Accuracy: stillcast.Accuracy(info.StillcastAccuracy), Format: stillcast.Format(info.StillcastFormat),
		Fit: stillcast.Fit(info.StillcastFit), Progressive: info.StillcastProgressive == 1, EXIF: info.StillcastExif == 1,
		SkipBlack: info.StillcastSkipBlack == 1, SkipUnchanged: info.StillcastSkipUnchanged == 1,
		Heartbeat: time.Duration(info.StillcastHeartbeat) * time.Second, Facts: info.StillcastFacts == 1,
		Mirror:   info.StillcastMirror,
		PornFlag: info.PornFlag == 1,
	}
	var sizes []stillcast.Size
	for _, text := range info.StillcastRenditions {
		size, ok := api.ParseSize(text)
		if !ok {
			return t, stillcast.Errorf(stillcast.CodeInvalid, "renditions", "the server gave %q for a size", text)
		}
		sizes = append(sizes, size)
	}
	var err error
	t.Renditions, err = stillcast.NewRenditions(sizes)
	return t, err
}

func readSnapshotRules(ctx context.Context, c *client.Client, set *stillcast.ResourceSet) error {
	var reply struct{ Rules []api.RuleInfo }
	if err := c.Call(ctx, "DescribeLiveSnapshotRules", nil, &reply); err != nil {
		return err
	}
	for _, r := range reply.Rules {
		set.SnapshotRules = append(set.SnapshotRules, stillcast.SnapshotRule{Domain: r.DomainName, App: r.AppName, Stream: r.StreamName, TemplateID: r.TemplateID})
	}
	return nil
}

func readCallbackTemplates(ctx context.Context, c *client.Client, set *stillcast.ResourceSet) error {
	var reply struct{ Templates []api.CallBackTemplateInfo }
	if err := c.Call(ctx, "DescribeLiveCallbackTemplates", nil, &reply); err != nil {
		return err
	}
	for _, info := range reply.Templates {
		set.CallbackTemplates = append(set.CallbackTemplates, stillcast.CallbackTemplate{
			ID: info.TemplateID, Name: info.TemplateName, Description: info.Description, Key: stillcast.Secret(info.CallbackKey),
			SnapshotURL: info.SnapshotNotifyURL, StreamBeginURL: info.StreamBeginNotifyURL, StreamEndURL: info.StreamEndNotifyURL,
			PushExceptionURL: info.PushExceptionNotifyURL, Profile: stillcast.Profile(info.StillcastProfile),
			SigningSecret: stillcast.Secret(info.StillcastSigningSecret), PreviousSecret: stillcast.Secret(info.StillcastPreviousSecret),
			Extras: info.StillcastExtras == 1, RedactParam: info.StillcastRedactParam == 1, RateLimit: info.StillcastRateLimit,
			Kept: stillcast.KeptCallbacks{RecordExceptionLevels: strings.Join(info.RecordExceptionLevels, ",")},
		})
	}
	return nil
}

func readCallbackRules(ctx context.Context, c *client.Client, set *stillcast.ResourceSet) error {
	var reply struct{ Rules []api.CallBackRuleInfo }
	if err := c.Call(ctx, "DescribeLiveCallbackRules", nil, &reply); err != nil {
		return err
	}
	for _, r := range reply.Rules {
		set.CallbackRules = append(set.CallbackRules, stillcast.CallbackRule{Domain: r.DomainName, App: r.AppName, TemplateID: r.TemplateID})
	}
	return nil
}

// nameOf is the name of the template with an id, or the id where there is none.
func nameOf[T any](all []T, id int64, of func(T) (int64, string)) string {
	for _, one := range all {
		if other, name := of(one); other == id {
			return name
		}
	}
	return strconv.FormatInt(id, 10)
}

func snapshotName(t stillcast.SnapshotTemplate) (int64, string) { return t.ID, t.Name }
func callbackName(t stillcast.CallbackTemplate) (int64, string) { return t.ID, t.Name }

// Declare returns what a server is set up with as it would be declared in a file.
func Declare(set stillcast.ResourceSet) stillcast.Declaration {
	d := stillcast.Declaration{Domains: set.Domains, SnapshotTemplates: set.SnapshotTemplates, CallbackTemplates: set.CallbackTemplates}
	for _, r := range set.SnapshotRules {
		d.SnapshotRules = append(d.SnapshotRules, stillcast.DeclaredRule{
			Domain: r.Domain, App: r.App, Stream: r.Stream, Template: nameOf(set.SnapshotTemplates, r.TemplateID, snapshotName),
		})
	}
	for _, r := range set.CallbackRules {
		d.CallbackRules = append(d.CallbackRules, stillcast.DeclaredRule{
			Domain: r.Domain, App: r.App, Template: nameOf(set.CallbackTemplates, r.TemplateID, callbackName),
		})
	}
	return d
}
