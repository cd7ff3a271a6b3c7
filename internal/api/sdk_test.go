package api

import (
	"testing"

	"github.com/stillcast/stillcast/internal/api/sdktest"
)

func TestOfficialClientForGo(t *testing.T) {
	r := newRig(t)
	sdktest.Go(t, sdktest.Server{Host: r.host(), ID: testID, Key: testKey})
}

func TestOfficialClientForNode(t *testing.T) {
	r := newRig(t)
	sdktest.Node(t, sdktest.Server{Host: r.host(), ID: testID, Key: testKey})
}
