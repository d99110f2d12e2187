# Sourced by build: makes layers and images of the OCI image format with tar, gzip, sha256sum and jq.
# Source: OCI image format 1.1 (layout, manifest, configuration); Docker's image tar 1.2 for the file manifest.json.

# Everything in an image is as old as this: the time of project.build.outputTimestamp in pom.xml.
image_time=2026-01-01T00:00:00Z

# The same folder gives the same bytes.
tar_of() { # FOLDER [NAME]...
  tar --sort=name --mtime=$image_time --owner=0 --group=0 --numeric-owner --format=gnu -C "$1" -c "${@:2}"
}

# A name for a thing made from what is read from standard input.
key() { sha256sum | cut -d ' ' -f 1; }

# Starts an image without layers.
image_start() { layers='[]'; }

# Adds a layer. A layer of the same name and key is taken from the store, else MAKER fills a folder: MAKER ARGUMENT... FOLDER.
layer() { # NAME KEY MAKER [ARGUMENT]...
  local name=$1 stored=$store/layers/$1-$2
  shift 2
  if [ ! -e "$stored.json" ]; then
    say "layer $name"
    local folder
    folder=$(mktemp -d "$work/layer.XXXX")
    "$@" "$folder"
    chmod 755 "$folder"
    mkdir -p "$store/layers"
    tar_of "$folder" . >"$work/layer.tar"
    gzip -n -c "$work/layer.tar" >"$work/layer.tar.gz"
    jq -n --arg name "$name" --arg diff "sha256:$(key <"$work/layer.tar")" --arg digest "sha256:$(key <"$work/layer.tar.gz")" \
      --argjson size "$(stat -c %s "$work/layer.tar.gz")" --argjson unpacked "$(stat -c %s "$work/layer.tar")" \
      '{name: $name, diff: $diff, digest: $digest, size: $size, unpacked: $unpacked}' >"$work/layer.json"
    mv "$work/layer.tar.gz" "$stored.tar.gz"
    mv "$work/layer.json" "$stored.json" # the point of commitment
    rm -rf "$folder" "$work/layer.tar"
  fi
  touch "$stored.json" "$stored.tar.gz"
  layers=$(jq --arg file "$stored.tar.gz" '. + [input + {file: $file}]' <(echo "$layers") "$stored.json")
}

# Writes the image as one tar that is both an OCI layout and what 'docker load' of any age reads.
image_write() { # NAME CONFIG OUTPUT   (CONFIG: the configuration's "config" object as JSON)
  local name=$1 config=$2 output=$3 layout=$work/layout blobs=$work/layout/blobs/sha256
  rm -rf "$layout" && mkdir -p "$blobs"
  local file
  jq -n --argjson config "$config" --argjson layers "$layers" --arg arch "$arch" --arg time $image_time '{
      created: $time, architecture: $arch, os: "linux", config: $config,
      rootfs: {type: "layers", diff_ids: [$layers[].diff]},
      history: [$layers[] | {created: $time, created_by: ("install/images/build: " + .name)}]
    }' >"$work/config.json"
  local config_digest manifest_digest
  config_digest=$(key <"$work/config.json")
  jq -n --arg digest "sha256:$config_digest" --argjson size "$(stat -c %s "$work/config.json")" --argjson layers "$layers" \
    --argjson labels "$(jq .Labels <<<"$config")" '{
      schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: {mediaType: "application/vnd.oci.image.config.v1+json", digest: $digest, size: $size},
      layers: [$layers[] | {mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest, size}],
      annotations: $labels
    }' >"$work/manifest.json"
  manifest_digest=$(key <"$work/manifest.json")
  mv "$work/config.json" "$blobs/$config_digest"
  cp "$work/manifest.json" "$blobs/$manifest_digest"
  jq -r '.[] | .file + " " + .digest[7:]' <<<"$layers" | while read -r file digest; do ln -f "$file" "$blobs/$digest" 2>/dev/null || cp "$file" "$blobs/$digest"; done
  echo '{"imageLayoutVersion": "1.0.0"}' >"$layout/oci-layout"
  # A name without a registry means the same to Docker and Kubernetes; containerd wants it in full.
  jq -n --arg digest "sha256:$manifest_digest" --argjson size "$(stat -c %s "$work/manifest.json")" --arg name "$name" --arg arch "$arch" \
    --arg full "$(full_name "$name")" '{
      schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [{
        mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $digest, size: $size,
        platform: {architecture: $arch, os: "linux"},
        annotations: {"io.containerd.image.name": $full, "org.opencontainers.image.ref.name": ($name | sub(".*:"; ""))}
      }]
    }' >"$layout/index.json"
  jq -n --arg name "$name" --arg config "blobs/sha256/$config_digest" --argjson layers "$layers" \
    '[{Config: $config, RepoTags: [$name], Layers: [$layers[] | "blobs/sha256/" + .digest[7:]]}]' >"$layout/manifest.json"
  tar_of "$layout" oci-layout index.json manifest.json blobs >"$output.new"
  mv "$output.new" "$output"
  rm -rf "$layout"
  echo "$output $name sha256:$manifest_digest $(($(stat -c %s "$output") / 1000000)) MB"
}

# The name with the registry that is meant where none is named.
full_name() { # NAME
  printf 'docker.%s/%s\n' io "$1"
}
