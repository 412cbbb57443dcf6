// Frames on stream sockets, never waiting for a slow peer.
#ifndef HG_WIRE_H
#define HG_WIRE_H

#include "machine.h"

#define HG_CONNECTIONS 16

typedef struct {
  int fd; // -1: free
  hg_bytes in;
  size_t in_bytes;
  size_t out_bytes;
  unsigned char out[8192];
} hg_peer;

enum { HG_PEER_OPEN, HG_PEER_GONE };

/// Reads what is there. HG_PEER_GONE at end of file, or when the peer sends nonsense.
int hg_peer_fill(hg_peer *peer);
/// The first whole frame, or NULL. It is valid until hg_peer_consume.
const hg_frame *hg_peer_frame(hg_peer *peer);
void hg_peer_consume(hg_peer *peer, const hg_frame *frame);
/// Sends or keeps for later; HG_PEER_GONE when the peer has left more than its buffer unread.
int hg_peer_send(hg_peer *peer, uint16_t type, const void *body, uint32_t length);
int hg_peer_flush(hg_peer *peer);
void hg_peer_close(hg_peer *peer);
/// Whether the other end is the same user, root, or (shared) in the folder's group.
bool hg_peer_allowed(int fd, bool shared, gid_t group);

#endif
