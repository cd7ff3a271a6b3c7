package cos

import (
	"fmt"
	"testing"
)

// TestClientsAreBounded: templates may name ever new buckets.
func TestClientsAreBounded(t *testing.T) {
	c := newClients(nil, secrets{})
	first, err := c.at("https://bucket-0.example.com")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.at("https://bucket-0.example.com"); again != first || err != nil {
		t.Errorf("the second call gave another client, %v", err)
	}
	for i := range 3 * maxClients {
		if _, err := c.at(fmt.Sprintf("https://bucket-%d.example.com", i)); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(c.byBase); got != maxClients {
		t.Errorf("%d clients are kept, want %d", got, maxClients)
	}
}
