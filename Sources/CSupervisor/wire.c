#include "wire.h"

#include <sys/socket.h>

#define FIRST_ROOM (16u * 1024)
#define ROOM_KEPT (256u * 1024)

int hg_peer_fill(hg_peer *peer) {
  for (;;) {
    size_t want = peer->in_bytes + FIRST_ROOM;
    if (peer->in_bytes >= sizeof(hg_frame)) {
      // A big frame is read in few steps.
      const hg_frame *frame = (const hg_frame *)peer->in.at;
      if (frame->length > HG_FRAME_MAX || frame->version != HG_VERSION) return HG_PEER_GONE;
      size_t whole = sizeof *frame + frame->length;
      if (whole <= peer->in_bytes) return HG_PEER_OPEN;
      if (whole > want) want = whole;
    }
    if (hg_bytes_reserve(&peer->in, want)) return HG_PEER_GONE;
    size_t room = peer->in.capacity - peer->in_bytes;
    ssize_t got = recv(peer->fd, peer->in.at + peer->in_bytes, room, MSG_DONTWAIT);
    if (got == 0) return HG_PEER_GONE;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? HG_PEER_OPEN : HG_PEER_GONE;
    peer->in_bytes += (size_t)got;
    // What did not fill the room was all there is; poll tells when there is more.
    if ((size_t)got < room) return HG_PEER_OPEN;
  }
}

const hg_frame *hg_peer_frame(hg_peer *peer) {
  if (peer->in_bytes < sizeof(hg_frame)) return NULL;
  const hg_frame *frame = (const hg_frame *)peer->in.at;
  if (frame->length > HG_FRAME_MAX) return NULL;
  return peer->in_bytes < sizeof *frame + frame->length ? NULL : frame;
}

void hg_peer_consume(hg_peer *peer, const hg_frame *frame) {
  size_t whole = sizeof *frame + frame->length;
  peer->in_bytes -= whole;
  if (peer->in_bytes) {
    memmove(peer->in.at, peer->in.at + whole, peer->in_bytes);
  } else if (peer->in.capacity > ROOM_KEPT) {
    hg_bytes_release(&peer->in);
  }
}

int hg_peer_flush(hg_peer *peer) {
  while (peer->out_bytes) {
    ssize_t sent = send(peer->fd, peer->out, peer->out_bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? HG_PEER_OPEN : HG_PEER_GONE;
    peer->out_bytes -= (size_t)sent;
    memmove(peer->out, peer->out + sent, peer->out_bytes);
  }
  return HG_PEER_OPEN;
}

int hg_peer_send(hg_peer *peer, uint16_t type, const void *body, uint32_t length) {
  hg_frame frame = {length, HG_VERSION, type};
  if (peer->out_bytes + sizeof frame + length > sizeof peer->out) return HG_PEER_GONE;
  memcpy(peer->out + peer->out_bytes, &frame, sizeof frame);
  if (length) memcpy(peer->out + peer->out_bytes + sizeof frame, body, length);
  peer->out_bytes += sizeof frame + length;
  return hg_peer_flush(peer);
}

void hg_peer_close(hg_peer *peer) {
  if (peer->fd >= 0) close(peer->fd);
  peer->fd = -1;
  peer->in_bytes = peer->out_bytes = 0;
  hg_bytes_release(&peer->in);
}

bool hg_peer_allowed(int fd, bool shared, gid_t group) {
  struct ucred peer;
  socklen_t length = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return false;
  if (peer.uid == geteuid() || peer.uid == 0) return true;
  if (!shared) return false;
  if (peer.gid == group) return true;
  gid_t groups[256];
  length = sizeof groups;
#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif
  if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &length) < 0) return false;
  for (size_t i = 0; i < length / sizeof groups[0]; i++) {
    if (groups[i] == group) return true;
  }
  return false;
}
