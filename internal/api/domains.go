package api

import (
	"context"
	"strings"
	"time"

	"github.com/stillcast/stillcast"
)

const groupDomain = "Push domains and their keys"

// MaxDomains and MaxTemplates are the cloud's ("Restrictions").
const (
	MaxDomains   = 100
	MaxTemplates = 50
)

const (
	codeDomainNotFound = "ResourceNotFound"
	codeNoRecord       = "InternalError.PushDomainNoRecord"
	codeDomainFormat   = "InvalidParameter.DomainFormatError"
)

func flagParam(name, note string) Param {
	return Param{Name: name, Kind: Integer, Max: 1, Note: note}
}

func domainType(required bool) Param {
	return Param{Name: "DomainType", Kind: Integer, Required: required, Max: 1, Note: "0; domains for playing (1) are not supported"}
}

func domainActions() []Action {
	known := map[stillcast.Code]string{stillcast.CodeNotFound: codeDomainNotFound}
	noRecord := map[stillcast.Code]string{stillcast.CodeNotFound: codeNoRecord}
	own := domainName()
	own.Code = codeDomainFormat
	const kept = "kept and shown, without effect"
	verify := []string{"dnsCheck", "fileCheck", "dbCheck"}
	return []Action{
		{
			Name: "AddLiveDomain", Writes: true, Reply: empty{},
			Params: []Param{
				own, domainType(true),
				{Name: "PlayType", Kind: Integer, Min: 1, Max: 3, Note: kept},
				flagParam("IsDelayLive", kept), flagParam("IsMiniProgramLive", kept),
				{Name: "VerifyOwnerType", Allowed: verify, Note: "nothing is verified"},
			},
			Faults: map[stillcast.Code]string{
				stillcast.CodeConflict: "FailedOperation.DomainAdded", stillcast.CodeLimit: "FailedOperation.HostOutLimit", stillcast.CodeInvalid: codeDomainFormat,
			},
			Note: "the domain gets a random push key: read it by DescribeLivePushAuthKey",
			run:  addDomain,
		},
		{
			Name: "DeleteLiveDomain", Params: []Param{own, domainType(true)}, Writes: true, Reply: empty{},
			Faults: map[stillcast.Code]string{stillcast.CodeNotFound: "FailedOperation.NotFound", stillcast.CodeConflict: "FailedOperation"},
			Note:   "its rules must be deleted before; live pushes of it end",
			run:    deleteDomain,
		},
		{
			Name: "DescribeLiveDomain", Params: []Param{domainName()}, Reply: domainReply{}, Values: codeInvalidValue,
			Faults: map[stillcast.Code]string{stillcast.CodeNotFound: "InternalError.DomainNotExist"}, run: describeDomain,
		},
		{
			Name: "DescribeLiveDomains", Reply: domainsReply{},
			Params: []Param{
				flagParam("DomainStatus", "0 disabled, 1 enabled"), domainType(false),
				{Name: "PageSize", Kind: Integer, Min: 10, Max: 100},
				{Name: "PageNum", Kind: Integer, Min: 1, Max: maxRows},
				flagParam("IsDelayLive", ""),
				{Name: "DomainPrefix", MaxBytes: maxName},
				{Name: "PlayType", Kind: Integer, Min: 1, Max: 3},
			},
			run: describeDomains,
		},
		{Name: "EnableLiveDomain", Params: []Param{own}, Writes: true, Reply: empty{}, Faults: known, run: enableDomain},
		{Name: "ForbidLiveDomain", Params: []Param{domainName()}, Writes: true, Reply: empty{}, Faults: known, Note: "live pushes of it end", run: forbidDomain},
		{
			Name: "AuthenticateDomainOwner", Reply: ownerReply{}, Note: "always succeeds: whoever has a credential owns the domains",
			Params: []Param{own, {Name: "VerifyType", Required: true, Allowed: verify}},
			run:    authenticateOwner,
		},
		{
			Name: "ModifyLivePushAuthKey", Writes: true, Reply: empty{}, Values: codeInvalidValue, Faults: noRecord,
			Params: []Param{
				domainName(), flagParam("Enable", ""),
				{Name: "MasterAuthKey", MaxBytes: maxName, Fields: []string{"auth.key"}},
				{Name: "BackupAuthKey", MaxBytes: maxName, Fields: []string{"auth.backup_key"}},
				{Name: "AuthDelta", Kind: Integer, Max: 365 * 24 * 3600, Note: "seconds", Fields: []string{"auth.delta"}},
			},
			Note: "what is not given stays as it is",
			run:  modifyPushKey,
		},
		{Name: "DescribeLivePushAuthKey", Params: []Param{domainName()}, Reply: pushKeyReply{}, Values: codeInvalidValue, Faults: noRecord, run: describePushKey},
	}
}

func refusePlayDomain(c *call) error {
	if c.integer("DomainType") == 1 {
		return faultf(codeUnsupported, "DomainType is 1, a domain for playing; Stillcast has domains for pushing (0) only")
	}
	return nil
}

func addDomain(ctx context.Context, c *call) (any, error) {
	if err := refusePlayDomain(c); err != nil {
		return nil, err
	}
	_, after, err := c.control.EditDomain(ctx, c.domainName(), true, func(d *stillcast.Domain) error {
		d.Auth.Key = stillcast.NewSecret()
		d.PlayType = int(c.integer("PlayType"))
		d.DelayLive = c.integer("IsDelayLive") == 1
		d.MiniProgram = c.integer("IsMiniProgramLive") == 1
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.audit(nil, after)
	return empty{}, nil
}

func deleteDomain(ctx context.Context, c *call) (any, error) {
	if err := refusePlayDomain(c); err != nil {
		return nil, err
	}
	before, err := c.control.DeleteDomain(ctx, c.domainName())
	if err != nil {
		return nil, err
	}
	c.audit(before, nil)
	c.dropDomain(before.Name, "18/301: the push domain was deleted through the API")
	return empty{}, nil
}

// dropDomain ends the live pushes of a domain, with the code of those that are
// refused for the same reason (Tencent Cloud CSS, "Stream interruption records").
func (c *call) dropDomain(name, why string) {
	c.control.DropDomain(name, stillcast.PushEnd{At: time.Now(), Code: stillcast.EndRefused, Message: why})
}

func describeDomain(_ context.Context, c *call) (any, error) {
	d, err := c.domain()
	if err != nil {
		return nil, err
	}
	return domainReply{c.domainInfo(d)}, nil
}

// domain returns the one that DomainName names, not one that stands for all.
func (c *call) domain() (stillcast.Domain, error) {
	name := c.domainName()
	for _, d := range c.control.Resources().Domains() {
		if d.Name == name {
			return d, nil
		}
	}
	return stillcast.Domain{}, stillcast.Errorf(stillcast.CodeNotFound, "DomainName", "there is no domain %q", name)
}

func describeDomains(_ context.Context, c *call) (any, error) {
	var all []DomainInfo
	for _, d := range c.control.Resources().Domains() {
		switch {
		case c.has("DomainStatus") && c.integer("DomainStatus") != int64(number(!d.Disabled)),
			c.integer("DomainType") != 0,
			c.has("IsDelayLive") && c.integer("IsDelayLive") != int64(number(d.DelayLive)),
			!strings.HasPrefix(d.Name, c.text("DomainPrefix")):
			continue
		}
		all = append(all, c.domainInfo(d))
	}
	reply := domainsReply{AllCount: len(all), CreateLimitCount: MaxDomains - len(c.control.Resources().Domains()), PlayTypeCount: []int{0, 0, 0}}
	reply.DomainList = append([]DomainInfo{}, cut(c.page(10), all)...)
	return reply, nil
}

func enableDomain(ctx context.Context, c *call) (any, error) {
	return c.switchDomain(ctx, false)
}

func forbidDomain(ctx context.Context, c *call) (any, error) {
	reply, err := c.switchDomain(ctx, true)
	if err == nil {
		c.dropDomain(c.domainName(), "18/303: the push domain was disabled through the API")
	}
	return reply, err
}

func (c *call) switchDomain(ctx context.Context, disabled bool) (any, error) {
	before, after, err := c.control.EditDomain(ctx, c.domainName(), false, func(d *stillcast.Domain) error {
		d.Disabled = disabled
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.audit(before, after)
	return empty{}, nil
}

func authenticateOwner(_ context.Context, c *call) (any, error) {
	return ownerReply{Content: "", Status: 0, MainDomain: c.domainName()}, nil
}

func modifyPushKey(ctx context.Context, c *call) (any, error) {
	before, after, err := c.control.EditDomain(ctx, c.domainName(), false, func(d *stillcast.Domain) error {
		if c.has("Enable") {
			d.Auth.Disabled = c.integer("Enable") == 0
		}
		if c.has("MasterAuthKey") {
			d.Auth.Key = stillcast.Secret(c.text("MasterAuthKey"))
		}
		if c.has("BackupAuthKey") {
			d.Auth.BackupKey = stillcast.Secret(c.text("BackupAuthKey"))
		}
		if c.has("AuthDelta") {
			d.Auth.Delta = time.Duration(c.integer("AuthDelta")) * time.Second
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.audit(before, after)
	return empty{}, nil
}

func describePushKey(_ context.Context, c *call) (any, error) {
	d, err := c.domain()
	if err != nil {
		return nil, err
	}
	return pushKeyReply{PushAuthKeyInfo{
		DomainName: d.Name, Enable: number(!d.Auth.Disabled),
		MasterAuthKey: d.Auth.Key.Reveal(), BackupAuthKey: d.Auth.BackupKey.Reveal(), AuthDelta: seconds(d.Auth.Delta),
	}}, nil
}

// Replies.
type (
	domainReply struct {
		DomainInfo DomainInfo
	}
	domainsReply struct {
		AllCount         int
		DomainList       []DomainInfo
		CreateLimitCount int
		PlayTypeCount    []int
	}
	ownerReply struct {
		Content    string
		Status     int
		MainDomain string
	}
	pushKeyReply struct {
		PushAuthKeyInfo PushAuthKeyInfo
	}
)

// DomainInfo is a domain in a reply.
type DomainInfo struct {
	Name              string
	Type              int
	Status            int
	CreateTime        string
	BCName            int
	TargetDomain      string
	PlayType          int
	IsDelayLive       int
	CurrentCName      string
	RentTag           int
	RentExpireTime    string
	IsMiniProgramLive int
}

func (c *call) domainInfo(d stillcast.Domain) DomainInfo {
	return DomainInfo{
		Name: d.Name, Status: number(!d.Disabled), CreateTime: c.localTime(d.Created), BCName: 1, TargetDomain: d.Name,
		PlayType: d.PlayType, IsDelayLive: number(d.DelayLive), CurrentCName: d.Name, IsMiniProgramLive: number(d.MiniProgram),
	}
}

// PushAuthKeyInfo is the authorisation of pushes in a reply.
type PushAuthKeyInfo struct {
	DomainName    string
	Enable        int
	MasterAuthKey string
	BackupAuthKey string
	AuthDelta     int64
}
