# i2i on a machine with an NVIDIA GPU; without one it computes on the CPU.
#
#   docker build -t i2i .
#   docker run --rm --gpus all --shm-size 2g --user "$(id -u):$(id -g)" -v "$PWD:/work" -v i2i-models:/models \
#     i2i translate hf://user/name photos translated
#
# The base image has CUDA's runtime alone, for torch brings cuDNN and the rest: it is the "base" and not the "runtime"
# flavour, which would add 2 GB of the same.
ARG CUDA=12.8.1-base-ubuntu24.04

FROM nvidia/cuda:${CUDA} AS build
# Ubuntu keeps one version of Python a release, so there is no other to pin.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY datasets datasets
COPY i2i i2i
RUN python3 -m venv /opt/i2i \
    && /opt/i2i/bin/pip install --no-cache-dir --constraint constraints.txt '.[hub,onnx,video]'

FROM nvidia/cuda:${CUDA}
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home i2i \
    && mkdir /models /work \
    # Whoever --user says may keep models there, as in /tmp.
    && chmod 1777 /models /work
COPY --from=build /opt/i2i /opt/i2i
# Models, public sets and exported networks are kept in /models between containers. USER, because torch asks for the name
# of a user, and the one that --user says has none.
ENV PATH=/opt/i2i/bin:$PATH \
    HF_HOME=/models/huggingface \
    XDG_CACHE_HOME=/models \
    USER=i2i \
    PYTHONUNBUFFERED=1
VOLUME /models
WORKDIR /work
USER 10001
ENTRYPOINT ["i2i"]
CMD ["--help"]
