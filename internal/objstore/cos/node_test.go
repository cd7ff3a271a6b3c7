package cos_test

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/stillcast/stillcast/internal/objstore"
	"github.com/stillcast/stillcast/internal/objstore/objstoretest"
	"github.com/stillcast/stillcast/internal/testkit"
)

//go:embed nodesdk/read.mjs
var nodeScript string

//go:embed nodesdk/package-lock.json
var nodeLock []byte

// nodeObject is an object as the script expects it.
type nodeObject struct {
	Key          string            `json:"key"`
	Size         int               `json:"size"`
	SHA256       string            `json:"sha256"`
	ContentType  string            `json:"contentType"`
	CacheControl string            `json:"cacheControl"`
	Metadata     map[string]string `json:"metadata"`
}

// TestNodeSDKReadsPictures: what the store put, the official client for Node.js
// reads back, by its own signatures, which the double checks like ours.
func TestNodeSDKReadsPictures(t *testing.T) {
	_, c := double(t)
	s := open(t, c)
	var objects []nodeObject
	for i, key := range []string{
		"2026-11-26/cam-1-screenshot-10-12-05-1280x720.jpg", "直播/a b+c.jpg", "percent/a%2Fb.jpg", "quote/a'(b)!*~.jpg", "query/a?b=c&d#e;f.jpg",
	} {
		body := bytes.Repeat([]byte{0xFF, 0xD8, byte(i)}, 50_000)
		o := objstore.Object{
			Bucket: objstoretest.Bucket, Key: key, Body: body, ContentType: "image/jpeg", CacheControl: "public, max-age=60",
			Metadata: map[string]string{"stream": fmt.Sprintf("cam %d, of=all", i)},
		}
		if err := s.Put(t.Context(), o); err != nil {
			t.Fatalf("Put(%q): %v", key, err)
		}
		sum := sha256.Sum256(body)
		objects = append(objects, nodeObject{
			Key: key, Size: len(body), SHA256: hex.EncodeToString(sum[:]), ContentType: o.ContentType, CacheControl: o.CacheControl, Metadata: o.Metadata,
		})
	}
	argument, err := json.Marshal(map[string]any{
		"proxy": c.Proxy, "id": secretID, "key": secretKey, "token": token,
		"bucket": objstoretest.Bucket, "region": region, "objects": objects,
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "--input-type=module", "--eval", nodeScript, string(argument))
	cmd.Dir = testkit.NPMFolder(t, "cos", nodeLock)
	said, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(said), fmt.Sprintf("read %d", len(objects))) {
		t.Errorf("the client for Node.js: %v\n%s", err, said)
	}
}
