package stillcast_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stillcast/stillcast"
)

func signingSecret(size int) stillcast.Secret {
	return stillcast.Secret("whsec_" + base64.StdEncoding.EncodeToString(make([]byte, size)))
}

func TestCallbackTemplateValidatesDelivery(t *testing.T) {
	good := signingSecret(stillcast.MinSigningKey)
	tests := []struct {
		name     string
		template stillcast.CallbackTemplate
		want     string // "" for none
	}{
		{"nothing", stillcast.CallbackTemplate{}, ""},
		{"all", stillcast.CallbackTemplate{
			Profile: stillcast.ProfileStandard, SigningSecret: good, PreviousSecret: signingSecret(stillcast.MaxSigningKey),
			Extras: true, RedactParam: true, RateLimit: stillcast.MaxRateLimit,
		}, ""},
		{"profile", stillcast.CallbackTemplate{Profile: "fast"}, `profile: is "fast"; allowed are tencent and standard`},
		{
			"short secret",
			stillcast.CallbackTemplate{SigningSecret: signingSecret(stillcast.MinSigningKey - 1)},
			`signing_secret: has 23 bytes after "whsec_"; allowed are 24 to 64`,
		},
		{
			"long secret",
			stillcast.CallbackTemplate{SigningSecret: signingSecret(stillcast.MaxSigningKey + 1)},
			`signing_secret: has 65 bytes after "whsec_"; allowed are 24 to 64`,
		},
		{
			"bare secret",
			stillcast.CallbackTemplate{SigningSecret: "c2VjcmV0"},
			`signing_secret: does not begin with "whsec_"; expected it and base64 of 24 to 64 bytes`,
		},
		{
			"no base64",
			stillcast.CallbackTemplate{SigningSecret: good, PreviousSecret: "whsec_!"},
			`previous_secret: is no base64 after "whsec_"; expected that of 24 to 64 bytes`,
		},
		{
			"previous alone",
			stillcast.CallbackTemplate{PreviousSecret: good},
			`previous_secret: is given without signing_secret; it signs beside it only`,
		},
		{"slow", stillcast.CallbackTemplate{RateLimit: -1}, `rate_limit: is -1; allowed are 0, for no limit, to 10000 requests per second`},
		{
			"fast",
			stillcast.CallbackTemplate{RateLimit: stillcast.MaxRateLimit + 1},
			`rate_limit: is 10001; allowed are 0, for no limit, to 10000 requests per second`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.template.Name, tt.template.SnapshotURL = "hooks", "http://a/"
			err := tt.template.Validate()
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantError(t, err, stillcast.CodeInvalid, tt.want)
			if secret := strings.TrimPrefix(tt.template.SigningSecret.Reveal(), "whsec_"); secret != "" && strings.Contains(err.Error(), secret) {
				t.Errorf("the error shows the secret: %v", err)
			}
		})
	}
}
